using System.Net.Sockets;
using Piccolo.DevRelay.Hub;
using Piccolo.DevRelay.Streams;

namespace Piccolo.DevRelay.Entry;

/// <summary>Takes the users' connections, finds their backend and hands them to its session; who has none is closed without a byte.</summary>
internal sealed class PublicListener(SessionTable sessions, RelayOptions options, RelayFaults faults, ILogger logger)
{
    private readonly Sniffer _sniffer = new(options);
    private int _peeking;

    public async Task ServeAsync(Socket socket, int advertisedPort, CancellationToken stopping)
    {
        socket.NoDelay = true;
        using var user = new UserConnection(socket, advertisedPort);
        var route = await PeekAsync(user, stopping);
        if (route is null)
        {
            sessions.Counters.Add(RelayCount.UsersNotUnderstood);
            logger.UserClosed(user.Client, advertisedPort, "not understood, or too many at once");
            return;
        }

        if (faults.EndTls && route.IsTls) await TlsInTheMiddle.ServeAsync(user, route, options.Time, stopping);
        else if (faults.CarryNoStream) await HoldAsync(user, stopping);
        else if (sessions.Pick(route.Key) is { } session) await session.ServeAsync(user, route);
        else
        {
            sessions.Counters.Add(RelayCount.UsersWithoutBackend);
            logger.UserClosed(user.Client, advertisedPort, "no backend for " + route.Key);
        }
    }

    /// <summary>The user is kept and hears nothing, until it gives up.</summary>
    private static async Task HoldAsync(UserConnection user, CancellationToken stopping)
    {
        var ignored = new byte[4_096];
        while (await user.ReadAsync(ignored, stopping) > 0)
        {
        }
    }

    private async Task<Routing.UserRoute?> PeekAsync(UserConnection user, CancellationToken stopping)
    {
        var peeking = Interlocked.Increment(ref _peeking);
        try
        {
            if (options.PeekLimit >= 0 && peeking > options.PeekLimit) return null;
            return await _sniffer.SniffAsync(user, stopping);
        }
        finally
        {
            Interlocked.Decrement(ref _peeking);
        }
    }
}
