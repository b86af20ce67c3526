namespace Piccolo.Rig.Acme;

/// <summary>
/// Pebble's DNS: <c>pebble-challtestsrv</c>, which answers every name with 127.0.0.1 unless told otherwise.
/// </summary>
public sealed class ChallengeTestServer : IAsyncDisposable
{
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(15);
    private readonly ChildProcess _process;
    private readonly HttpClient _http;

    private ChallengeTestServer(ChildProcess process, int dnsPort, int managementPort)
    {
        _process = process;
        DnsPort = dnsPort;
        ManagementUrl = new Uri($"http://127.0.0.1:{managementPort}/");
        _http = new HttpClient(new SocketsHttpHandler()) { BaseAddress = ManagementUrl };
    }

    public int DnsPort { get; }

    /// <summary>For Pebble's <c>-dnsserver</c>.</summary>
    public string DnsServer => $"127.0.0.1:{DnsPort}";

    public Uri ManagementUrl { get; }

    public string LogFile => _process.LogFile;

    public int ProcessId => _process.Id;

    /// <param name="folder">For the log; is created.</param>
    public static async Task<ChallengeTestServer> StartAsync(string folder, PebbleEdition edition = PebbleEdition.Installed,
        CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(folder);
        var program = PebbleProgram.Find(edition, "pebble-challtestsrv");
        var ports = LoopbackPorts.Free(2);
        var dns = await PebbleProgram.DnsOptionsAsync(program, $"127.0.0.1:{ports[0]}", cancellationToken);
        var process = ChildProcess.Start(new ChildProcessStart(
            program,
            [
                "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", .. dns, "-management", $"127.0.0.1:{ports[1]}",
                // It answers challenges too if it is let: the device under test does that.
                "-http01", "", "-https01", "", "-tlsalpn01", "",
            ],
            Path.Combine(folder, "challtestsrv.log"), "pebble"));
        var server = new ChallengeTestServer(process, ports[0], ports[1]);
        try
        {
            await process.WaitForPortAsync(ports[0], ReadyLimit, cancellationToken);
            await process.WaitForPortAsync(ports[1], ReadyLimit, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Answers a name, and only it, with other addresses.</summary>
    public Task AddAAsync(string host, params string[] addresses) => PostAsync("add-a", new { host = host + ".", addresses });

    /// <summary>Answers a name with an error, such as <c>SERVFAIL</c>.</summary>
    public Task SetServFailAsync(string host) => PostAsync("set-servfail", new { host = host + "." });

    public Task ClearServFailAsync(string host) => PostAsync("clear-servfail", new { host = host + "." });

    /// <summary>Gives a name these CAA properties, instead of any before.</summary>
    public async Task SetCaaAsync(string host, params (string Tag, string Value)[] properties)
    {
        await PostAsync("clear-caa", new { host = host + "." });
        if (properties.Length > 0)
            await PostAsync("add-caa", new { host = host + ".", policies = properties.Select(p => new { tag = p.Tag, value = p.Value }) });
    }

    /// <summary>Makes a name an alias of another; null ends that.</summary>
    public Task SetCnameAsync(string host, string? target) =>
        target is null ? PostAsync("clear-cname", new { host = host + "." }) : PostAsync("set-cname", new { host = host + ".", target = target + "." });

    /// <summary>Forgets the addresses that <see cref="AddAAsync"/> gave.</summary>
    public Task ClearAAsync(string host) => PostAsync("clear-a", new { host = host + "." });

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
    }

    private async Task PostAsync(string path, object body)
    {
        using var response = await _http.PostAsJsonAsync(path, body);
        response.EnsureSuccessStatusCode();
    }
}
