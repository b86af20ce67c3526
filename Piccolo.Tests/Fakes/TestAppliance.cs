using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piccolo.Api.Health;
using Piccolo.Api.Platform;
using Piccolo.Core.Auth;
using Piccolo.Core.Containers;
using Piccolo.Core.Locking;
using Piccolo.Core.Primitives;
using Piccolo.Core.Vault;
using Piccolo.Rig;

namespace Piccolo.Tests.Fakes;

/// <summary>The whole appliance in this process, on real ports of the loopback interface, with a recording container engine.</summary>
internal sealed class TestAppliance : WebApplicationFactory<ApplianceOptions>
{
    public const string Password = TestBox.Password;

    private readonly TempFolder? _ownFolder;
    private readonly PortLease _ports = PortLease.Take();
    private readonly Dictionary<string, string> _settings;

    public TestAppliance(string? stateDirectory = null, params (string Key, string Value)[] settings)
    {
        _ownFolder = stateDirectory is null ? new TempFolder() : null;
        StateDirectory = stateDirectory ?? _ownFolder!.Path;
        HttpPort = LoopbackPorts.Free(1)[0];
        _settings = new Dictionary<string, string>
        {
            ["Piccolo:StateDirectory"] = StateDirectory,
            ["Piccolo:Ingress:HttpPort"] = $"{HttpPort}",
            ["Piccolo:Ingress:HttpsPort"] = "0",
            // The lowest free one of the usual range would be the same for two appliances at a time.
            ["Piccolo:Ingress:GuardPorts"] = _ports.GuardPorts,
            ["Piccolo:Ingress:PublicPorts"] = _ports.PublicPorts,
            ["Piccolo:Ingress:ListenAddress"] = "127.0.0.1",
            ["Piccolo:Vault:Kdf:MemoryMiB"] = "64",
            ["Piccolo:Vault:Kdf:Iterations"] = "2",
        };
        foreach (var (key, value) in settings) _settings[key] = value;
        UseKestrel();
        StartServer();
        Api = new ApplianceClient(new Uri($"http://127.0.0.1:{HttpPort}"));
    }

    public string StateDirectory { get; }

    public int HttpPort { get; }

    public ApplianceClient Api { get; }

    public CapturedLog Log { get; } = new();

    public RecordingContainerRuntime Engine { get; } = new();

    /// <summary>What a lock asked for. This process cannot be replaced.</summary>
    public RecordedRestart Restart { get; } = new();

    /// <summary>Claims and unlocks the box and takes a bearer token.</summary>
    public async Task<TestAppliance> OwnedAsync()
    {
        await PreparedKeySet.ClaimAsync(Services.GetRequiredService<ApplianceVault>(), Services.GetRequiredService<StatePaths>());
        await Api.UnlockAsync(Password);
        // Over the API it would cost one more derivation of the password.
        Api.UseToken(Services.GetRequiredService<ApiTokenStore>().Create("test", TokenScope.Write, null)!.Value.Token);
        return this;
    }

    /// <summary>Sends a request without following redirects; for tests of refusals.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content = null, Action<HttpRequestMessage>? change = null)
    {
        var request = new HttpRequestMessage(method, path) { Content = content };
        change?.Invoke(request);
        return Api.SendRawAsync(request);
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseEnvironment("Development");
        foreach (var (key, value) in _settings) builder.UseSetting(key, value);
        builder.ConfigureLogging(logging => logging.ClearProviders().SetMinimumLevel(LogLevel.Debug).AddProvider(Log));
        // Who names a socket means a real engine.
        if (!_settings.ContainsKey("Piccolo:Containers:Socket"))
            builder.ConfigureServices(services => services.Replace(ServiceDescriptor.Singleton<IContainerRuntime>(Engine)));
        builder.ConfigureServices(services => services
            .Replace(ServiceDescriptor.Singleton<IProcessRestart>(Restart))
            .Replace(ServiceDescriptor.Singleton(new HealthPace { Regular = TimeSpan.FromMilliseconds(200) }))
            // The daemon's limit is for a machine that does nothing else.
            .Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(60)));
    }

    public override async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await base.DisposeAsync();
        _ports.Dispose();
        _ownFolder?.Dispose();
    }
}
