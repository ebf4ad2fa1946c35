"""What is asked for in one place and answered in another: what a person's answer does, and what
the app then fetches. The device grant and CIBA differ only in how a request begins.
"""
