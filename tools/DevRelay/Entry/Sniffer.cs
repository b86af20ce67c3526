using Piccolo.DevRelay.Protocol;
using Piccolo.DevRelay.Routing;
using Piccolo.DevRelay.Streams;

namespace Piccolo.DevRelay.Entry;

/// <summary>Finds out where a new user wants to go, the same way on every public port: server name, then HTTP host, then a claim on the port.</summary>
internal sealed class Sniffer(RelayOptions options)
{
    /// <returns>Null when the user is to be closed.</returns>
    public async Task<UserRoute?> SniffAsync(UserConnection user, CancellationToken stopping)
    {
        var reader = new PeekReader(user, options.Clocks, options.Time, Nexus.HttpPreludeLimit, stopping);
        HelloState state;
        string? serverName;
        while ((state = ClientHello.Parse(reader.Bytes.Span, out serverName)) is HelloState.NeedMore && reader.Bytes.Length <= Nexus.TlsPreludeLimit)
        {
            if (!await reader.ReadMoreAsync()) break;
        }

        // Over the limit is over, even if the name is known; only bytes that are no TLS at all may be more.
        if (state is not HelloState.NotTls && reader.Bytes.Length > Nexus.TlsPreludeLimit) return null;
        var isTls = state is HelloState.Complete;
        if (serverName is not null) return new UserRoute(Hostnames.Normalize(serverName), true, HalfCloses: true, reader.Bytes);
        return await SniffHttpAsync(user, reader, isTls);
    }

    private static async Task<UserRoute?> SniffHttpAsync(UserConnection user, PeekReader reader, bool isTls)
    {
        reader.BeginStage();
        HeadState state;
        string host;
        while ((state = HttpHead.Parse(reader.Bytes.Span, out host)) is HeadState.NeedMore)
        {
            if (!await reader.ReadMoreAsync()) break;
        }

        if (reader.Bytes.Length > Nexus.HttpPreludeLimit) return null;
        if (state is HeadState.Complete) return new UserRoute(host, false, HalfCloses: false, reader.Bytes);
        // A complete head without a host has been consumed by the stock relay's parser: what the user sent so far is lost.
        var prelude = state is HeadState.NoHost ? ReadOnlyMemory<byte>.Empty : reader.Bytes;
        return new UserRoute(Nexus.TcpKey(user.AdvertisedPort), isTls, HalfCloses: false, prelude);
    }
}
