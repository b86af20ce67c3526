using System.Globalization;

namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>The app behind all contenders: an nginx that answers small and large, in clear text and in TLS, and counts what it is asked.</summary>
internal sealed class Backend(ChildProcess process, int plain, int tls, int status) : IAsyncDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new UriBuilder("http", "127.0.0.1", status).Uri };

    public int Plain => plain;

    public int Tls => tls;

    /// <summary>All requests since it began, those for this figure included (<c>ngx_http_stub_status_module</c>: the third number of the third line).</summary>
    public async Task<long> RequestsAsync()
    {
        var lines = (await _http.GetStringAsync("/")).Split('\n');
        return long.Parse(lines[2].Split(' ', StringSplitOptions.RemoveEmptyEntries)[2], CultureInfo.InvariantCulture);
    }

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return process.DisposeAsync();
    }
}
