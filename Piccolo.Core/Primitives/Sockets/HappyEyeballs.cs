using System.Net;
using System.Net.Sockets;

namespace Piccolo.Core.Primitives.Sockets;

/// <summary>
/// Connects to a host that has several addresses (RFC 8305, 5): the families alternate, the next address is tried a quarter of a second after the one before or
/// as soon as that has failed, and the first connection wins. An address that swallows everything costs that quarter, not the whole time.
/// </summary>
internal static class HappyEyeballs
{
    /// <summary>RFC 8305, 8.</summary>
    public static readonly TimeSpan AttemptDelay = TimeSpan.FromMilliseconds(250);

    /// <exception cref="SocketException">The name has no address, or none could be reached: then it is the first one's.</exception>
    public static async Task<Socket> ConnectAsync(DnsEndPoint host, TimeProvider time, CancellationToken cancellationToken)
    {
        IPAddress[] addresses = IPAddress.TryParse(host.Host, out var literal)
            ? [literal]
            : await Dns.GetHostAddressesAsync(host.Host, host.AddressFamily, cancellationToken);
        return await RaceAsync(Interleave(addresses), (address, token) => ConnectAsync(new IPEndPoint(address, host.Port), token), time, cancellationToken);
    }

    /// <summary>In the resolver's order (RFC 6724), but one of each family in turn.</summary>
    internal static IReadOnlyList<IPAddress> Interleave(IReadOnlyCollection<IPAddress> addresses)
    {
        var families = addresses.GroupBy(a => a.AddressFamily).Select(g => g.ToList()).ToList();
        return [.. Enumerable.Range(0, addresses.Count).SelectMany(i => families.Where(f => i < f.Count).Select(f => f[i]))];
    }

    internal static async Task<T> RaceAsync<T>(
        IReadOnlyList<IPAddress> addresses, Func<IPAddress, CancellationToken, Task<T>> connect, TimeProvider time, CancellationToken cancellationToken)
        where T : class, IDisposable
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var attempts = new List<Task<T>>();
        Exception? failure = null;
        try
        {
            for (var next = 0; next < addresses.Count || attempts.Count > 0;)
            {
                if (next < addresses.Count) attempts.Add(connect(addresses[next++], over.Token));
                Task[] pause = next < addresses.Count ? [Task.Delay(AttemptDelay, time, over.Token)] : [];
                while (attempts.Count > 0 && await Task.WhenAny(attempts.Concat(pause)) is Task<T> ended)
                {
                    attempts.Remove(ended);
                    if (ended.IsCompletedSuccessfully) return await ended;
                    failure ??= ended.Exception?.InnerException;
                    // There is nothing to wait for with the next address.
                    if (next < addresses.Count) break;
                }
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            await over.CancelAsync();
            foreach (var late in attempts) _ = DisposeLateAsync(late);
        }
        throw failure ?? new SocketException((int)SocketError.HostNotFound);
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task DisposeLateAsync<T>(Task<T> attempt) where T : class, IDisposable
    {
        await ((Task)attempt).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (attempt.IsCompletedSuccessfully) (await attempt).Dispose();
    }
}
