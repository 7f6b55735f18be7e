"""From a finding to a sealed package of photos, clip, trace and manifest, and its record."""
