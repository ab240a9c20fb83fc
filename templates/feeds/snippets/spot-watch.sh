{% autoescape off %}sudo install -m 600 /dev/stdin /etc/spot-watch.env <<'SECRET'
FEED_SECRET={{ secret }}
SECRET
sudo chmod +x /usr/local/bin/spot-watch
sudo systemctl daemon-reload
sudo systemctl enable --now spot-watch{% endautoescape %}
