using System.Net;
using Piccolo.Rig;
using Piccolo.Rig.Load;
using Piccolo.Rig.Net;
using Piccolo.Rig.Stack;

namespace Piccolo.Demo.Chaos;

/// <summary>The stack, with a line to the relay that can be bad in every way, and visitors.</summary>
internal sealed class ChaosWorld : IAsyncDisposable
{
    /// <summary>A relay's own buffers aside, a home's line holds about as much.</summary>
    private const int LineBuffer = 32 * 1024;

    private static readonly TimeSpan Stable = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private ChaosWorld(DemoStack stack, PrivateNames names, TcpProxy line)
    {
        (Stack, Names, Line) = (stack, names, line);
        var relay = new IPEndPoint(IPAddress.Loopback, stack.RelayTlsPort);
        Tunnel = new TunnelRoute("tunnel", new Uri("https://raw.home.test"), relay, FromMany: true);
        Lan = new TunnelRoute("lan", new Uri("https://web.home.test"), new IPEndPoint(IPAddress.Loopback, stack.HttpsPort), FromMany: false);
    }

    public DemoStack Stack { get; }

    public PrivateNames Names { get; }

    /// <summary>Between the appliance and the relay's hub.</summary>
    public TcpProxy Line { get; }

    public TunnelRoute Tunnel { get; }

    /// <summary>A visitor at the appliance's own port: nothing that happens to the relay is any business of his.</summary>
    public TunnelRoute Lan { get; }

    public Uri Endpoint => new($"wss://{HubCertificate.Name}:{Line.Port}/connect");

    public static async Task<ChaosWorld> StartAsync(string folder, Timeline timeline)
    {
        Directory.CreateDirectory(folder);
        var names = new PrivateNames(folder);
        names.Set(HubCertificate.Name);
        var stack = await DemoStack.StartAsync(Path.Combine(folder, "stack"), DemoBreak.None, timeline, new StackShape(Settings, names));
        var line = new TcpProxy(new IPEndPoint(IPAddress.Loopback, stack.RelayHubPort), LineBuffer);
        try
        {
            await stack.OpenToTheWorldAsync(new Uri($"wss://{HubCertificate.Name}:{line.Port}/connect"));
            return new ChaosWorld(stack, names, line);
        }
        catch
        {
            await line.DisposeAsync();
            await stack.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether a stranger gets the page, and after how long.</summary>
    public async Task<TimeSpan?> VisitAsync(TimeSpan limit)
    {
        var began = TimeProvider.System.GetTimestamp();
        using var patience = new CancellationTokenSource(limit, TimeProvider.System);
        try
        {
            using var client = Stack.Internet.NewClient();
            using var response = await client.GetAsync(new Uri("https://web.home.test/"), patience.Token);
            return response.IsSuccessStatusCode ? TimeProvider.System.GetElapsedTime(began) : null;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>The world as it is before anything goes wrong: online with one session for a while, and strangers are served.</summary>
    public async Task<bool> SettleAsync(StatusWatch watch)
    {
        var good = await watch.UntilAsync(s => StatusWatch.IsOnline(s) && (int)s["tunnel"]!["sessions"]! == 1
            && TimeProvider.System.GetUtcNow() - (DateTimeOffset)s["last_handshake"]! > Stable
            && s["names"]!.AsArray().All(n => (string?)n!["result"] == "reachable"), Patience);
        return good is not null && await VisitAsync(Patience) is not null;
    }

    public async ValueTask DisposeAsync()
    {
        await Line.DisposeAsync();
        await Stack.DisposeAsync();
    }

    // The appliance looks at itself from outside every second or two, and proves who it is as often, so that a scenario need not wait minutes for it.
    private static Dictionary<string, string> Settings(DemoStack stack) => new()
    {
        ["Piccolo:Nexus:ReauthInterval"] = "00:00:02",
        ["Piccolo:Remote:ProbeResolver"] = "fixed:127.0.0.1",
        ["Piccolo:Remote:ProbePorts:443"] = $"{stack.RelayTlsPort}",
        ["Piccolo:Remote:ProbePorts:80"] = $"{stack.RelayHttpPort}",
        ["Piccolo:Remote:ProbeInterval"] = "00:00:02",
        ["Piccolo:Remote:ProbeRetryInterval"] = "00:00:01",
        ["Piccolo:Remote:ProbeConfirmation"] = "00:00:00.500",
    };
}
