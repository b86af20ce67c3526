namespace Piccolo.Bench.Ingress;

/// <summary>
/// The contenders' settings: TLS 1.3, h2 and http/1.1, connections kept on both sides without a limit, no access log, two threads or workers each.
/// </summary>
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

    /// <summary>Bodies are passed on as they come, as the front door does; else nginx would write a large one to a file first.</summary>
    public static string Nginx(int terminated, int passThrough, string certificate, string key, Backend app) => NginxHead + $$"""
        http {
          access_log off; keepalive_requests 1000000000; http2_max_requests 1000000000;
          client_body_temp_path @folder@/b; proxy_temp_path @folder@/p; fastcgi_temp_path @folder@/f; uwsgi_temp_path @folder@/u; scgi_temp_path @folder@/s;
          ssl_certificate {{certificate}}; ssl_certificate_key {{key}}; ssl_protocols TLSv1.3;
          proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
          proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto https; proxy_set_header X-Forwarded-Host $host;
          proxy_max_temp_file_size 0; proxy_request_buffering off; client_max_body_size 0; client_body_buffer_size 64k;
          upstream app { server 127.0.0.1:{{app.Plain}}; keepalive 256; keepalive_requests 1000000000; }
          upstream bodies { server 127.0.0.1:{{app.Bodies}}; keepalive 256; keepalive_requests 1000000000; }
          server { listen 127.0.0.1:{{terminated}} ssl http2 backlog=8192; location / { proxy_pass http://app; } }
          server { listen 127.0.0.1:{{terminated}} ssl http2; server_name {{BenchNames.Bodies}}; location / { proxy_pass http://bodies; } }
        }
        stream {
          map $ssl_preread_server_name $app { {{BenchNames.PassedThrough}} 127.0.0.1:{{app.Tls}}; default 127.0.0.1:1; }
          server { listen 127.0.0.1:{{passThrough}} backlog=8192; ssl_preread on; proxy_pass $app; proxy_timeout 2h; tcp_nodelay on; }
        }
        """;
}
