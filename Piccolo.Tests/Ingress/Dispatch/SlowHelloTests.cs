using System.Net.Sockets;
using Piccolo.Core.Listeners;
using Piccolo.Tests.Core.Tls;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.PassThrough;
using static Piccolo.Tests.Ingress.Fakes.FrontDoor;

namespace Piccolo.Tests.Ingress.Dispatch;

/// <summary>Clients that keep a ClientHello waiting, in numbers: how many may, for how long, and what is left for others.</summary>
internal sealed class SlowHelloTests
{
    private const int Cap = 16;
    private static readonly byte[] Hello = HelloBytes.WithServerName("own.home.test");

    [Test]
    public async Task Clients_BeyondTheCap_AreTurnedAwayAndAPlaceThatIsLeftServesAnother()
    {
        await using var door = await StartAsync(new()
        {
            ["MaxWaitingPeeks"] = $"{Cap}",
            ["PeekFirstByteTimeout"] = "00:02:00",
            ["PeekIdleTimeout"] = "00:02:00",
            ["PeekTotalTimeout"] = "00:02:00",
        });
        using var upstream = PassThroughTests.StartListening(out var port);
        door.PublishApp("own", port, ListenerFlow.Tls);
        var slow = new List<Socket>();
        try
        {
            for (var i = 0; i < Cap + 8; i++)
            {
                slow.Add(await ConnectAsync(door.HttpsPort));
                await slow[i].SendAsync(Hello.AsMemory(0, 1));
            }
            var ends = slow.Select(EndAsync).ToList();
            var turnedAway = new HashSet<Task>();
            while (turnedAway.Count < 8) turnedAway.Add(await Task.WhenAny(ends.Where(e => !turnedAway.Contains(e))).WaitAsync(Patience));

            Assert.That(ends.Count(e => !e.IsCompleted), Is.EqualTo(Cap), "who waits within the cap goes on waiting");

            // One leaves.
            slow[ends.FindIndex(e => !e.IsCompleted)].Close();
            await ServedAsync(door, upstream);
        }
        finally
        {
            slow.ForEach(s => s.Dispose());
        }
    }

    [Test]
    public async Task Clients_ThatDrip_AreAllCutOffAndUsersAreServed()
    {
        await using var door = await StartAsync(new()
        {
            ["MaxWaitingPeeks"] = $"{4 * Cap}",
            ["PeekFirstByteTimeout"] = "00:00:01",
            ["PeekIdleTimeout"] = "00:00:01",
            ["PeekTotalTimeout"] = "00:00:01",
        });
        using var upstream = PassThroughTests.StartListening(out var port);
        door.PublishApp("own", port, ListenerFlow.Tls);

        await Task.WhenAll(Enumerable.Range(0, 4 * Cap).Select(_ => DripUntilCutOffAsync(door.HttpsPort))).WaitAsync(TimeSpan.FromSeconds(60));

        await ServedAsync(door, upstream);
    }

    /// <summary>Sends a byte whenever the timer says so, and never the whole hello.</summary>
    private static async Task DripUntilCutOffAsync(int port)
    {
        using var socket = await ConnectAsync(port);
        var end = EndAsync(socket);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var sent = 0; !end.IsCompleted && await timer.WaitForNextTickAsync();)
        {
            try
            {
                if (sent < Hello.Length - 1) await socket.SendAsync(Hello.AsMemory(sent++, 1));
            }
            catch (SocketException)
            {
                return;
            }
        }
        await end;
    }

    /// <summary>A place is given back a moment after its client has gone: who is turned away until then comes again.</summary>
    private static async Task ServedAsync(FrontDoor door, TcpListener upstream)
    {
        using var patience = new CancellationTokenSource(Patience);
        var accepted = upstream.AcceptSocketAsync(patience.Token).AsTask();
        while (true)
        {
            using var user = await ConnectAsync(door.HttpsPort, patience.Token);
            await user.SendAsync(Hello, patience.Token);
            if (await Task.WhenAny(accepted, EndAsync(user)) != accepted) continue;
            using var app = await accepted;
            return;
        }
    }

    private static async Task EndAsync(Socket socket)
    {
        // A task of its own also for a socket that has ended already: they are counted.
        await Task.Yield();
        try
        {
            while (await socket.ReceiveAsync(new byte[64]) > 0)
            {
                // Nothing is expected but the end.
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // A reset is an end too.
        }
    }
}
