using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Piccolo.Rig.Acme;

/// <summary>
/// Let's Encrypt's test CA as a child process, on loopback ports of its own, with a listener certificate made for it. Everything it issues hangs on a
/// root that lives as long as the process.
/// </summary>
public sealed class PebbleServer : IAsyncDisposable
{
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(20);
    private readonly ChildProcess _process;
    private readonly HttpClient _management;

    private PebbleServer(ChildProcess process, int port, int managementPort, string trustFile, X509Certificate2 listener)
    {
        _process = process;
        DirectoryUrl = new Uri($"https://127.0.0.1:{port}/dir");
        ManagementUrl = new Uri($"https://127.0.0.1:{managementPort}/");
        TrustFile = trustFile;
        var expected = listener.GetCertHash(HashAlgorithmName.SHA256);
        var handler = new SocketsHttpHandler();
        // Pinned: the one certificate that we made ourselves.
        handler.SslOptions.RemoteCertificateValidationCallback = (_, sent, _, _) => sent is not null
            && expected.AsSpan().SequenceEqual(sent.GetCertHash(HashAlgorithmName.SHA256));
        _management = new HttpClient(handler) { BaseAddress = ManagementUrl };
        // Some of Pebble's management refuses nameless clients.
        _management.DefaultRequestHeaders.UserAgent.ParseAdd("PiccoloRig");
    }

    public Uri DirectoryUrl { get; }

    public Uri ManagementUrl { get; }

    /// <summary>PEM of Pebble's own listener: what an ACME client must trust to talk to it. Not what it issues from.</summary>
    public string TrustFile { get; }

    public string LogFile => _process.LogFile;

    public int ProcessId => _process.Id;

    /// <param name="folder">For configuration, certificate and log; is created.</param>
    public static async Task<PebbleServer> StartAsync(string folder, PebbleOptions options, CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(folder);
        using var listener = MakeListenerCertificate(folder, out var certificateFile, out var keyFile);
        var ports = LoopbackPorts.Free(2);
        var port = options.Port == 0 ? ports[0] : options.Port;
        var configurationFile = Path.Combine(folder, "pebble.json");
        await File.WriteAllTextAsync(configurationFile, Configuration(options, port, ports[1], certificateFile, keyFile), cancellationToken);
        var process = ChildProcess.Start(new ChildProcessStart(
            PebbleProgram.Find(options.Edition, "pebble"),
            ["-config", configurationFile, "-dnsserver", options.DnsServer, $"-strict={(options.IsStrict ? "true" : "false")}"],
            Path.Combine(folder, "pebble.log"), "pebble")
        {
            Environment = Environment(options),
        });
        var server = new PebbleServer(process, port, ports[1], certificateFile, listener);
        try
        {
            await process.WaitForPortAsync(port, ReadyLimit, cancellationToken);
            await process.WaitForPortAsync(ports[1], ReadyLimit, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>The root below which everything is issued, as PEM.</summary>
    /// <param name="alternate">0 for the usual one, else that of an alternate chain.</param>
    public Task<string> RootPemAsync(int alternate = 0, CancellationToken cancellationToken = default) =>
        _management.GetStringAsync(new Uri($"roots/{alternate}", UriKind.Relative), cancellationToken);

    /// <summary>Whether the CA holds a certificate for revoked: <c>Valid</c> or <c>Revoked</c>.</summary>
    /// <param name="serial">Hexadecimal.</param>
    public async Task<string> StatusAsync(string serial, CancellationToken cancellationToken = default)
    {
        using var status = JsonDocument.Parse(
            await _management.GetStringAsync(new Uri($"cert-status-by-serial/{serial.TrimStart('0')}", UriKind.Relative), cancellationToken));
        return status.RootElement.GetProperty("Status").GetString()!;
    }

    /// <summary>From now on the CA suggests this window for renewing a certificate (RFC 9773). Current edition only.</summary>
    public async Task SuggestWindowAsync(string leafPem, DateTimeOffset start, DateTimeOffset end, CancellationToken cancellationToken = default)
    {
        var hint = JsonSerializer.Serialize(new { suggestedWindow = new { start = start.ToString("O"), end = end.ToString("O") } });
        using var body = new StringContent(JsonSerializer.Serialize(new { Certificate = leafPem + "\n", ARIResponse = hint }));
        using var response = await _management.PostAsync(new Uri("set-renewal-info/", UriKind.Relative), body, cancellationToken);
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"Pebble refused the window: {await response.Content.ReadAsStringAsync(cancellationToken)}");
    }

    public async ValueTask DisposeAsync()
    {
        _management.Dispose();
        await _process.DisposeAsync();
    }

    private static string Configuration(PebbleOptions options, int port, int managementPort, string certificate, string key) => JsonSerializer.Serialize(new
    {
        pebble = new
        {
            listenAddress = $"127.0.0.1:{port}",
            managementListenAddress = $"127.0.0.1:{managementPort}",
            certificate,
            privateKey = key,
            httpPort = options.HttpPort,
            tlsPort = options.TlsPort,
            ocspResponderURL = "",
            externalAccountBindingRequired = options.ExternalAccounts.Count > 0,
            externalAccountMACKeys = options.ExternalAccounts,
            domainBlocklist = options.BlockedNames,
            certificateValidityPeriod = (long)options.CertificateLifetime.TotalSeconds,
            // A second is the least that Pebble takes.
            retryAfter = new { authz = 1, order = 1 },
            keyAlgorithm = "ecdsa",
            profiles = options.Edition == PebbleEdition.Installed ? null : options.Profiles.Append(KeyValuePair.Create("default", options.CertificateLifetime))
                .ToDictionary(p => p.Key, p => new { description = p.Key, validityPeriod = (long)p.Value.TotalSeconds }),
        },
    });

    private static Dictionary<string, string> Environment(PebbleOptions options)
    {
        var environment = new Dictionary<string, string>
        {
            ["PEBBLE_WFE_NONCEREJECT"] = options.NonceRejectPercent.ToString(CultureInfo.InvariantCulture),
            ["PEBBLE_AUTHZREUSE"] = options.AuthorizationReusePercent.ToString(CultureInfo.InvariantCulture),
            ["PEBBLE_ALTERNATE_ROOTS"] = options.AlternateRoots.ToString(CultureInfo.InvariantCulture),
            ["PEBBLE_CHAIN_LENGTH"] = options.ChainLength.ToString(CultureInfo.InvariantCulture),
        };
        if (options.NoSleep) environment["PEBBLE_VA_NOSLEEP"] = "1";
        else environment["PEBBLE_VA_SLEEPTIME"] = options.SleepSeconds.ToString(CultureInfo.InvariantCulture);
        return environment;
    }

    private static X509Certificate2 MakeListenerCertificate(string folder, out string certificateFile, out string keyFile)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Pebble's own listener", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1")], critical: false));
        var now = TimeProvider.System.GetUtcNow();
        var certificate = request.CreateSelfSigned(now.AddHours(-1), now.AddYears(1));
        certificateFile = Path.Combine(folder, "listener.pem");
        keyFile = Path.Combine(folder, "listener-key.pem");
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        using (File.Create(keyFile, 1, FileOptions.None)) File.SetUnixFileMode(keyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        return certificate;
    }
}
