"""What went wrong in other providers and libraries, and does not go wrong here."""
