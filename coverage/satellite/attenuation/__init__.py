"""Attenuation on slant paths: gas, cloud, rain and scintillation, one module a Recommendation."""
