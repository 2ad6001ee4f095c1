"""What a step writes and tells: fields, files, probes, section forces, extremes, the estimated error."""
