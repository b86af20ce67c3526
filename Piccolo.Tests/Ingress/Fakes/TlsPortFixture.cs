using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Time.Testing;
using Piccolo.Api.Ingress.Configuration;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Api.Ingress.Transports.TlsPort;
using Piccolo.Core.Primitives;
using Piccolo.Core.Primitives.Sockets;
using Piccolo.Core.Routing;
using Piccolo.Tests.Ingress.PassThrough;

namespace Piccolo.Tests.Ingress.Fakes;

/// <summary>
/// Clients that are handed to the TLS port as if they had just been accepted, by a clock that the test moves. One name is served:
/// <c>app.example.test</c>, whose TLS ends here.
/// </summary>
internal abstract class TlsPortFixture
{
    private protected static readonly IPEndPoint Stranger = new(IPAddress.Parse("198.51.100.7"), 40_000);

    private readonly List<IDisposable> _ended = [];
    private readonly Channel<string> _refused = Channel.CreateUnbounded<string>();
    private MeterListener _listener = null!;
    private BoundTlsPort _port = null!;

    private protected FakeTimeProvider Time { get; private set; } = null!;

    private protected FrontDoor Door { get; private set; } = null!;

    private protected SocketLoop Loop => Door.Get<SocketLoops>().All[0];

    private protected IngressOptions Limits => Door.Get<Microsoft.Extensions.Options.IOptions<IngressOptions>>().Value;

    private protected BoundTlsPort Port => _port;

    private protected virtual Dictionary<string, string?> Settings => [];

    [SetUp]
    public async Task StartPortAsync()
    {
        Time = new FakeTimeProvider();
        Door = await FrontDoor.StartAsync(Settings, Time, loops: 1);
        Door.Publish(new Route.Portal(DomainName.Parse("app.example.test")));
        _port = new BoundTlsPort(new IPEndPoint(IPAddress.Loopback, 443));
        _listener = MeterListeners.On(Door.Get<IMeterFactory>(), "piccolo.ingress.refused");
        _listener.SetMeasurementEventCallback<long>((_, _, tags, _) => _refused.Writer.TryWrite((string)tags[0].Value!));
        _listener.Start();
    }

    [TearDown]
    public async Task StopPortAsync()
    {
        _listener.Dispose();
        _port.Close();
        while (_port.Accepted.TryRead(out var served)) await served.DisposeAsync();
        _ended.ForEach(e => e.Dispose());
        _ended.Clear();
        await Door.DisposeAsync();
        while (_refused.Reader.TryRead(out _))
        {
            // Of this test, not of the next.
        }
    }

    /// <param name="remote">Who it is said to be; null: who it is.</param>
    private protected async Task<(Socket Client, Socket Own, IPEndPoint Remote)> PairAsync(IPEndPoint? remote = null)
    {
        var (client, own) = await SocketSpliceTests.PairAsync();
        _ended.AddRange([client, own]);
        return (client, own, remote ?? (IPEndPoint)own.RemoteEndPoint!);
    }

    /// <summary>A client that has sent these bytes when it is accepted. Over when it was looked at.</summary>
    private protected async Task<Socket> AcceptAsync(ReadOnlyMemory<byte> first, IPEndPoint? remote = null)
    {
        var (client, own, from) = await PairAsync(remote);
        if (!first.IsEmpty) await client.SendAsync(first);
        await BeginAsync(own, from);
        return client;
    }

    private protected Task BeginAsync(Socket own, IPEndPoint remote) => OnLoopAsync(() => Door.Get<TlsPortClients>().Begin(own, remote, Loop, _port));

    /// <summary>Over when all whose time has come were looked at.</summary>
    private protected async Task AdvanceAsync(TimeSpan by)
    {
        Time.Advance(by);
        // What a timer has posted comes before this.
        await OnLoopAsync(() => { });
    }

    private protected Task OnLoopAsync(Action action)
    {
        var call = new Call(action);
        Loop.Post(call);
        return call.Done.WaitAsync(FrontDoor.Patience);
    }

    private protected Task<ConnectionContext> ServedAsync() => _port.Accepted.ReadAsync().AsTask().WaitAsync(FrontDoor.Patience);

    private protected bool IsAnybodyServed => _port.Accepted.TryPeek(out _);

    private protected Task<string> RefusedAsync() => _refused.Reader.ReadAsync().AsTask().WaitAsync(FrontDoor.Patience);

    private protected bool IsAnybodyRefused => _refused.Reader.TryPeek(out _);

    private sealed class Call(Action action) : ISocketWatcher
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Done => _done.Task;

        public bool OnReady(SocketReadiness readiness)
        {
            action();
            _done.TrySetResult();
            return false;
        }
    }
}
