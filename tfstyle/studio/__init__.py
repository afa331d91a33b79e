"""The studio: a page in the browser on which a photograph is painted, and the small server behind it.

store.py        the folder: uploaded pictures under random ids, and a folder for each painting
orders.py       what is to be painted: from JSON to a config, its files and the command of the same picture
instant.py      a photograph in each of the shipped styles, small and at once
worker.py       the process that plans and paints, the only one with TensorFlow in it
process.py      that process as seen by the studio
paintings.py    the paintings, their queue, and what the worker makes of it
streams.py      who is told of what happens
access.py       which requests are answered: hosts, origins, tokens
web.py          addresses to answers: pages, pictures, JSON, events
server.py       connections: how many, and for how long

``page`` has the page itself: one file each of HTML, CSS and JavaScript, which load nothing from elsewhere.
"""
