using Microsoft.Extensions.Logging.Abstractions;
using Piccolo.Api.Ingress.EventLoop;
using Piccolo.Tests.Ingress.Fakes;
using Piccolo.Tests.Ingress.PassThrough;

namespace Piccolo.Tests.Ingress.EventLoop;

/// <summary>A byte that comes at the very moment at which its reader begins to wait wakes it, although the two are on different threads.</summary>
internal sealed class LoopWakeTests
{
    private const int Bytes = 100_000;

    /// <summary>A machine that is busy with other things sends fewer.</summary>
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(10);

    [Test]
    public async Task Reader_OnThePool_IsWokenForEachOfManyBytes()
    {
        using var loop = new SocketLoop("test", NullLogger.Instance);
        var (peer, own) = await SocketSpliceTests.PairAsync();
        using var other = peer;
        using var socket = new LoopSocket(own, loop);
        using var patience = new CancellationTokenSource(FrontDoor.Patience);
        var (received, goal) = (0, Bytes);
        var reading = Task.Run(ReadAsync);

        await Task.Run(Send);
        await reading.WaitAsync(FrontDoor.Patience);

        async Task ReadAsync()
        {
            var buffer = new byte[16];
            while (received < Volatile.Read(ref goal))
            {
                var taken = socket.TryReceive(buffer);
                if (taken > 0) Volatile.Write(ref received, received + taken);
                else await socket.UntilReadableAsync();
            }
        }

        void Send()
        {
            var octet = new byte[1];
            var began = TimeProvider.System.GetTimestamp();
            for (var sent = 1; sent <= Volatile.Read(ref goal); sent++)
            {
                // Before the last byte: its reader must not wait for another.
                if (TimeProvider.System.GetElapsedTime(began) > Enough) Volatile.Write(ref goal, sent);
                peer.Send(octet);
                // The next one is sent as soon as this one was taken, which is when the reader looks once more and then waits.
                while (Volatile.Read(ref received) < sent) patience.Token.ThrowIfCancellationRequested();
            }
        }
    }
}
