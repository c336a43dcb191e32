package main

// program is a proxy of another make, and its configuration.
type program struct {
	path string
	args []string // the last of which is the configuration's file
	conf string
}

// hand is the smallest configuration of Envoy for one route.
const hand = `
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: {http}}}
    filter_chains:
    - filters: &requests
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: http
          route_config: {virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: web}}]}]}
          http_filters:
          - {name: router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  - address: {socket_address: {address: 127.0.0.1, port_value: {https}}}
    filter_chains:
    - filters: *requests
      transport_socket:
        name: tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context: {tls_certificates: [{certificate_chain: {filename: {pem}}, private_key: {filename: {pem}}}]}
  - address: {socket_address: {address: 127.0.0.1, port_value: {stream}}}
    filter_chains:
    - filters:
      - {name: tcp, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: tcp, cluster: sink}}
  clusters:
  - {name: web, load_assignment: {cluster_name: web, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: {backend}}}}}]}]}}
  - {name: sink, load_assignment: {cluster_name: sink, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: {sink}}}}}]}]}}
`

var haproxy = program{"/usr/sbin/haproxy", []string{"-db", "-f"}, `
global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
frontend http
  bind 127.0.0.1:{http}
  bind 127.0.0.1:{https} ssl crt {pem}
  default_backend web
backend web
  http-reuse always
  server one 127.0.0.1:{backend}
listen tcp
  mode tcp
  bind 127.0.0.1:{stream}
  server one 127.0.0.1:{sink}
`}

var nginx = program{"/usr/sbin/nginx", []string{"-c"}, `
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
master_process off;
pid {dir}/pid;
error_log {dir}/error.log;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c; uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e;
  keepalive_requests 1000000;
  upstream web { server 127.0.0.1:{backend}; keepalive 64; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:{http};
    listen 127.0.0.1:{https} ssl;
    ssl_certificate {pem};
    ssl_certificate_key {pem};
    location / {
      proxy_pass http://web;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
stream {
  server { listen 127.0.0.1:{stream}; proxy_pass 127.0.0.1:{sink}; proxy_half_close on; }
}
`}
