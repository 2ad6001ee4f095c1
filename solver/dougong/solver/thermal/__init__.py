"""Temperatures that strain a body, and the states that steps and jobs hand on."""
