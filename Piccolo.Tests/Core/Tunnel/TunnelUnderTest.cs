using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Piccolo.Core.Tunnel;
using Piccolo.Tests.Core.Tunnel.Session;
using Piccolo.Tests.Fakes.Clocks;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Core.Tunnel;

/// <summary>A running tunnel with short pauses, towards a scripted relay.</summary>
internal sealed class TunnelUnderTest : IAsyncDisposable
{
    public const string Secret = "scripted-secret-0123456789";

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public TunnelUnderTest(Action<TunnelOptions>? configure = null, Func<double>? random = null, ILogger<RelayTunnel>? logger = null, TimeProvider? time = null,
        string? weightFile = null)
    {
        var options = new TunnelOptions
        {
            AllowInsecureLoopback = true,
            ReconnectBase = TimeSpan.FromMilliseconds(20),
            ReconnectMax = TimeSpan.FromMilliseconds(200),
            HostnameDebounce = TimeSpan.FromMilliseconds(20),
            StopDrain = TimeSpan.FromSeconds(1),
            ReplacedSessionQuiet = TimeSpan.Zero,
            TailConfirmation = TimeSpan.FromMilliseconds(20),
        };
        configure?.Invoke(options);
        Tunnel = new RelayTunnel(Options.Create(options), time ?? TimeProvider.System, logger ?? NullLogger<RelayTunnel>.Instance, random ?? (() => 0.5),
            weightFile);
        _running = Tunnel.RunAsync(_stop.Token);
    }

    public RelayTunnel Tunnel { get; }

    public static TunnelTarget Target(Uri endpoint, params string[] hostnames) => new(endpoint, Secret, [.. hostnames]);

    /// <summary>Sets the target and accepts its session.</summary>
    public async Task<RelayPeer> OpenAsync(ScriptedRelay relay, params string[] hostnames)
    {
        Tunnel.SetTarget(Target(relay.Endpoint, hostnames));
        var peer = await relay.AcceptAsync();
        await UntilAsync(status => status.State == TunnelState.Online && status.Hostnames.SetEquals(hostnames));
        return peer;
    }

    public async Task<ITunnelStream> AcceptAsync() =>
        await Tunnel.AcceptAsync(CancellationToken.None).AsTask().WaitAsync(ScriptedRelay.Patience) ?? throw new InvalidOperationException("No stream.");

    public async Task<TunnelStatus> UntilAsync(Func<TunnelStatus, bool> holds)
    {
        using var patience = new CancellationTokenSource(ScriptedRelay.Patience);
        while (true)
        {
            var seen = Tunnel.Changed.Version;
            var status = Tunnel.Status;
            if (holds(status)) return status;
            try
            {
                await Tunnel.Changed.WaitAsync(seen, patience.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"The tunnel stayed {Tunnel.Status}.");
            }
        }
    }

    /// <summary>Lets an hour pass, in which every pause ends; whoever comes to the relay then came for this.</summary>
    public static async Task AssertDialsNoMoreAsync(ScriptedRelay relay, SteppedTime time)
    {
        time.Advance(TimeSpan.FromHours(1));
        await using var other = new TunnelUnderTest();
        other.Tunnel.SetTarget(Target(relay.Endpoint, "barrier.home.test"));
        var next = await relay.AcceptAsync();
        Assert.That(RelayTunnelHandshakeTests.Claims(next.HandshakeToken)["hostnames"]!.ToJsonString(), Is.EqualTo("""["barrier.home.test"]"""),
            "somebody dials again");
        await other.UntilAsync(status => status.State == TunnelState.Online);
        Assert.That(relay.HasWaiting, Is.False);
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(ScriptedRelay.Patience);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    public static async Task<byte[]> ReadAsync(PipeReader input, int bytes)
    {
        var read = await input.ReadAtLeastAsync(bytes).AsTask().WaitAsync(ScriptedRelay.Patience);
        var result = read.Buffer.Slice(0, Math.Min(bytes, read.Buffer.Length)).ToArray();
        input.AdvanceTo(read.Buffer.GetPosition(result.Length));
        return result;
    }

    /// <summary>All bytes up to the end of the input.</summary>
    public static async Task<byte[]> ReadToEndAsync(PipeReader input)
    {
        using var all = new MemoryStream();
        await input.CopyToAsync(all).WaitAsync(ScriptedRelay.Patience);
        return all.ToArray();
    }

    public static Task ClosedAsync(ITunnelStream stream)
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        stream.Closed.Register(() => closed.TrySetResult());
        return closed.Task.WaitAsync(ScriptedRelay.Patience);
    }

    public static byte[] Pattern(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
