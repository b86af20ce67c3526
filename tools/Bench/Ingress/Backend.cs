using System.Globalization;
using Piccolo.Rig;

namespace Piccolo.Bench.Ingress;

/// <summary>
/// The apps behind both contenders: an nginx that answers small and large, in clear text and in TLS, and counts what it is asked; and a <see cref="BodySink"/>.
/// </summary>
internal sealed class Backend(ChildProcess nginx, ChildProcess sink, int plain, int tls, int status, int bodies) : IAsyncDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new UriBuilder("http", "127.0.0.1", status).Uri };

    public int Plain => plain;

    public int Tls => tls;

    /// <summary>Where bodies are read, in clear text.</summary>
    public int Bodies => bodies;

    /// <summary>All requests since it began, those for this figure included (<c>ngx_http_stub_status_module</c>: the third number of the third line).</summary>
    public async Task<long> RequestsAsync()
    {
        var lines = (await _http.GetStringAsync("/")).Split('\n');
        return long.Parse(lines[2].Split(' ', StringSplitOptions.RemoveEmptyEntries)[2], CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await sink.DisposeAsync();
        await nginx.DisposeAsync();
    }
}
