"""Sweeps: survey, one pure plan, carry out, report. Safe to call any time, from anywhere."""
