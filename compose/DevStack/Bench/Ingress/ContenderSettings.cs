namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>The contenders' settings: TLS 1.3, h2 and http/1.1, connections kept on both sides without a limit, no access log, two threads or workers each.</summary>
internal static class ContenderSettings
{
    private const string NginxHead = """
        load_module /usr/lib/nginx/modules/ngx_stream_module.so;
        daemon off;
        pid @folder@/pid;
        error_log @folder@/error.log;
        worker_processes 2;
        worker_rlimit_nofile 65536;
        events { worker_connections 16384; }

        """;

    public static string Backend(int plain, int tls, int status, string certificate, string key, string content) => NginxHead + $$"""
        http {
          access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; keepalive_timeout 600; client_header_timeout 600;
          client_body_temp_path @folder@/b; proxy_temp_path @folder@/p; fastcgi_temp_path @folder@/f; uwsgi_temp_path @folder@/u; scgi_temp_path @folder@/s;
          server {
            listen 127.0.0.1:{{plain}} backlog=8192;
            listen 127.0.0.1:{{tls}} ssl http2 backlog=8192;
            ssl_certificate {{certificate}}; ssl_certificate_key {{key}}; ssl_protocols TLSv1.3;
            location / { return 200 "hello, world\n"; }
            location /bulk { root {{content}}; }
          }
          server { listen 127.0.0.1:{{status}}; location / { stub_status; } }
        }
        """;

    public static string Nginx(int terminated, int passThrough, string certificate, string key, int plain, int tls) => NginxHead + $$"""
        http {
          access_log off; keepalive_requests 1000000000; http2_max_requests 1000000000;
          client_body_temp_path @folder@/b; proxy_temp_path @folder@/p; fastcgi_temp_path @folder@/f; uwsgi_temp_path @folder@/u; scgi_temp_path @folder@/s;
          upstream app { server 127.0.0.1:{{plain}}; keepalive 256; keepalive_requests 1000000000; }
          server {
            listen 127.0.0.1:{{terminated}} ssl http2 backlog=8192;
            ssl_certificate {{certificate}}; ssl_certificate_key {{key}}; ssl_protocols TLSv1.3;
            location / {
              proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
              proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto https; proxy_set_header X-Forwarded-Host $host;
              proxy_max_temp_file_size 0;
            }
          }
        }
        stream {
          map $ssl_preread_server_name $app { {{BenchNames.PassedThrough}} 127.0.0.1:{{tls}}; default 127.0.0.1:1; }
          server { listen 127.0.0.1:{{passThrough}} backlog=8192; ssl_preread on; proxy_pass $app; proxy_timeout 2h; tcp_nodelay on; }
        }
        """;

    public static string Haproxy(int terminated, int passThrough, string both, int plain, int tls) => $"""
        global
          nbthread 2
          maxconn 8000
          ssl-default-bind-options ssl-min-ver TLSv1.3
        defaults
          timeout connect 5s
          timeout client 2h
          timeout server 2h
          backlog 8192
        frontend passthrough
          mode tcp
          bind 127.0.0.1:{passThrough}
          tcp-request inspect-delay 10s
          tcp-request content accept if {"{ req.ssl_hello_type 1 }"}
          use_backend own if {"{ req.ssl_sni -i " + BenchNames.PassedThrough + " }"}
        backend own
          mode tcp
          server app 127.0.0.1:{tls}
        frontend terminated
          mode http
          bind 127.0.0.1:{terminated} ssl crt {both} alpn h2,http/1.1
          option forwardfor
          http-request set-header X-Forwarded-Proto https
          http-request set-header X-Forwarded-Host %[req.hdr(host)]
          default_backend web
        backend web
          mode http
          http-reuse always
          server app 127.0.0.1:{plain}

        """;

    public static string Caddy(int terminated, string certificate, string key, int plain) => $$"""
        {
          admin off
          auto_https off
          default_sni {{BenchNames.Terminated}}
          storage file_system @folder@
          servers {
            protocols h1 h2
          }
        }
        https://{{BenchNames.Terminated}}:{{terminated}}, https://127.0.0.1:{{terminated}} {
          bind 127.0.0.1
          tls {{certificate}} {{key}} {
            protocols tls1.3
          }
          reverse_proxy 127.0.0.1:{{plain}}
        }
        """;
}
