"""The logical plan: the waist between the compiler and the runtime."""
