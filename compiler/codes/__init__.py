"""Every diagnostic code once, with its long story; one file a band."""
