using System.Net;
using System.Net.Sockets;
using Piccolo.Core.Primitives.Sockets;
using Piccolo.Tests.Fakes.Clocks;

namespace Piccolo.Tests.Core.Primitives;

/// <summary>One dead address of several must not keep a host from being reached.</summary>
internal sealed class HappyEyeballsTests
{
    private static readonly IPAddress Dead = IPAddress.Parse("2001:db8:1::dead");
    private static readonly IPAddress Dead2 = IPAddress.Parse("2001:db8:1::beef");
    private static readonly IPAddress Good = IPAddress.Parse("192.0.2.7");

    [Test]
    public async Task FirstAddressThatSwallowsEverything_TheNextIsTriedAfterAQuarterSecond()
    {
        var time = new SteppedTime(DateTimeOffset.UnixEpoch);
        var tried = new List<IPAddress>();

        var race = HappyEyeballs.RaceAsync([Dead, Good], (address, token) =>
        {
            tried.Add(address);
            return address.Equals(Good) ? Task.FromResult(new Connection(address)) : NeverAsync(token);
        }, time, CancellationToken.None);
        Assert.That(tried, Is.EqualTo(new[] { Dead }));
        await time.PassAsync(HappyEyeballs.AttemptDelay);

        Assert.That((await race.WaitAsync(TimeSpan.FromSeconds(20))).Address, Is.EqualTo(Good));
    }

    [Test]
    public async Task FirstAddressThatIsRefused_TheNextIsTriedAtOnce()
    {
        var made = await HappyEyeballs.RaceAsync([Dead, Dead2, Good], (address, _) => address.Equals(Good)
            ? Task.FromResult(new Connection(address))
            : Task.FromException<Connection>(new SocketException((int)SocketError.ConnectionRefused)), new SteppedTime(DateTimeOffset.UnixEpoch),
            CancellationToken.None);

        Assert.That(made.Address, Is.EqualTo(Good));
    }

    [Test]
    public async Task LoserThatConnectsLate_IsClosed()
    {
        var late = new TaskCompletionSource<Connection>();
        var loser = new Connection(Dead);
        var time = new SteppedTime(DateTimeOffset.UnixEpoch);
        var race = HappyEyeballs.RaceAsync([Dead, Good], (address, _) => address.Equals(Good) ? Task.FromResult(new Connection(address)) : late.Task, time,
            CancellationToken.None);
        await time.PassAsync(HappyEyeballs.AttemptDelay);
        var winner = await race.WaitAsync(TimeSpan.FromSeconds(20));

        late.SetResult(loser);
        await loser.Closed.Task.WaitAsync(TimeSpan.FromSeconds(20));

        Assert.That(winner.Closed.Task.IsCompleted, Is.False);
    }

    [Test]
    public void AllAddressesRefused_IsTheFirstOnesFailure() => Assert.That(
        async () => await HappyEyeballs.RaceAsync([Dead, Good], (address, _) =>
            Task.FromException<Connection>(new SocketException((int)(address.Equals(Dead) ? SocketError.NetworkUnreachable : SocketError.ConnectionRefused))),
            new SteppedTime(DateTimeOffset.UnixEpoch), CancellationToken.None),
        Throws.InstanceOf<SocketException>().With.Property(nameof(SocketException.SocketErrorCode)).EqualTo(SocketError.NetworkUnreachable));

    [Test]
    public async Task Cancelled_WhileAllAreSilent_EndsWithTheCallersToken()
    {
        using var ending = new CancellationTokenSource();
        var race = HappyEyeballs.RaceAsync([Dead], (_, token) => NeverAsync(token), TimeProvider.System, ending.Token);

        await ending.CancelAsync();

        Assert.That(async () => await race.WaitAsync(TimeSpan.FromSeconds(20)),
            Throws.InstanceOf<OperationCanceledException>().With.Property(nameof(OperationCanceledException.CancellationToken)).EqualTo(ending.Token));
    }

    [Test]
    public void Interleave_TwoFamilies_TakesTurnsInTheResolversOrder()
    {
        IPAddress[] found = [Dead, Dead2, IPAddress.IPv6Loopback, Good, IPAddress.Loopback];

        Assert.That(HappyEyeballs.Interleave(found), Is.EqualTo(new[] { Dead, Good, Dead2, IPAddress.Loopback, IPAddress.IPv6Loopback }));
    }

    [Test]
    public async Task RealHost_OnOneFamilyOnly_IsReached()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();

        // Where the name has an IPv6 address too, that is refused here.
        using var socket = await HappyEyeballs.ConnectAsync(new DnsEndPoint("localhost", ((IPEndPoint)listener.LocalEndpoint).Port), TimeProvider.System,
            CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));

        Assert.That(socket.Connected, Is.True);
    }

    private static async Task<Connection> NeverAsync(CancellationToken cancellationToken)
    {
        await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
        throw new InvalidOperationException();
    }

    private sealed class Connection(IPAddress address) : IDisposable
    {
        public IPAddress Address { get; } = address;

        public TaskCompletionSource Closed { get; } = new();

        public void Dispose() => Closed.SetResult();
    }
}
