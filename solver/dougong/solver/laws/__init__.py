"""What cells are made of and how their strains follow: constitutive laws, axes of materials, formulations."""
