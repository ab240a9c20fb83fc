{% autoescape off %}sudo install -m 755 spot-hook /usr/local/bin/spot-hook
sudo install -m 644 spot-watch-hook.service /etc/systemd/system/spot-watch-hook.service
sudo systemctl daemon-reload
sudo systemctl enable --now spot-watch-hook{% endautoescape %}
