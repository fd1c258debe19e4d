"""Pretend to be the hubs: a mock Hubject, Chargeprice and Spirii, strict as the real ones and faulty on request.

Never imports the product. Before it: whoever pushes over HTTP. After it: whoever asks the control interface
(`control`) what a hub holds and what it was sent.
"""
