{% autoescape off %}kubectl apply -f spot-console-watch.yaml -f spot-console-token.yaml
install -d -m 700 /run/secrets/my-cluster
kubectl -n spot-console get secret spot-console-watch -o jsonpath='{.data.token}' | base64 -d > /run/secrets/my-cluster/token
kubectl -n spot-console get secret spot-console-watch -o jsonpath='{.data.ca\.crt}' | base64 -d > /run/secrets/my-cluster/ca.crt
kubectl config view --minify -o jsonpath='{.clusters[0].cluster.server}'{% endautoescape %}
