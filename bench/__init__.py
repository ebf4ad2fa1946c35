"""`make bench`: what each flow costs, in the same run as a bare Flask route on the same server."""
