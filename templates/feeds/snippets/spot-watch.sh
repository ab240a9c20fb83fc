{% autoescape off %}sudo install -m 755 spot-watch /usr/local/bin/spot-watch
sudo install -m 600 spot-watch.env /etc/spot-watch.env
sudo install -m 644 spot-watch.service /etc/systemd/system/spot-watch.service
sudo systemctl daemon-reload
sudo systemctl enable --now spot-watch
systemctl status --no-pager spot-watch{% endautoescape %}
