using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Piccolo.Core.Tunnel;

namespace Piccolo.Tests.Core.Tunnel;

/// <summary>Whole streams through a relay on real sockets: what arrives is what was sent, whatever the others do, and nothing of it stays.</summary>
[Category("Nexus")]
internal sealed class StreamIntegrityTests
{
    private const int AtOnce = 48;
    private const int MiB = 1024 * 1024;

    [Test]
    public Task Streams_OfAllKinds_ArriveWholeAndLeaveNothing() => PassAsync(5_000);

    [Test, Category("Slow")]
    public Task Streams_OfAllKinds_AHundredThousand_ArriveWholeAndLeaveNothing() => PassAsync(100_000);

    [Test]
    public async Task Burst_Of300UsersAtOnce_LosesNone()
    {
        await using var app = await RelayedApp.StartAsync();

        var wrong = await Task.WhenAll(Enumerable.Range(0, 300).Select(n => app.PassAsync(new Passage(n, Course.Echo, 8_000, IsTls: true))));
        await app.UntilEmptyAsync();

        Assert.That(wrong.Where(w => w is not null), Is.Empty);
        Assert.That(app.Under.Tunnel.Status.Counts.RefusedStreams, Is.Empty);
        Assert.That(app.Under.Tunnel.Status.Counts.Streams, Is.EqualTo(300));
    }

    [Test]
    public async Task StalledApp_AmongAHundred_HoldsItsWindowAndNoMore()
    {
        await using var app = await RelayedApp.StartAsync();
        // An echo whose user never reads: first everything toward the user is full, then the app reads no more.
        using var stalled = await app.StallAsync(new Passage(-1, Course.Echo, 0, IsTls: true));
        using var stop = new CancellationTokenSource();
        var pushing = PushAsync(stalled, stop.Token);
        await RelayedApp.UntilAsync(() => app.Relay.Sessions()[0].Streams.Any(stream => stream.ForwardCredits == 0));

        var wrong = await Task.WhenAll(Enumerable.Range(0, 100).Select(n => app.PassAsync(new Passage(n, n % 2 == 0 ? Course.Upload : Course.Download, MiB / 2, IsTls: true))));
        var held = app.Under.Tunnel.Status.BufferedBytes;
        await stop.CancelAsync();
        stalled.Dispose();
        await pushing;
        await app.UntilEmptyAsync();

        Assert.That(wrong.Where(w => w is not null), Is.Empty);
        Assert.That(held, Is.Positive.And.LessThanOrEqualTo(ForwardLedger.Window * 32_768));
    }

    [Test, Category("Slow")]
    public async Task StalledApp_AmongAHundred_SlowsThemByLessThanFivePercent()
    {
        await using var app = await RelayedApp.StartAsync();
        var number = 0;
        await RoundAsync();
        var (alone, beside) = (new List<double>(), new List<double>());
        for (var round = 0; round < 7; round++)
        {
            alone.Add(await RoundAsync());
            using var stalled = await app.StallAsync(new Passage(-1 - round, Course.Echo, 0, IsTls: true));
            using var stop = new CancellationTokenSource();
            var pushing = PushAsync(stalled, stop.Token);
            await RelayedApp.UntilAsync(() => app.Relay.Sessions()[0].Streams.Any(stream => stream.ForwardCredits == 0));
            beside.Add(await RoundAsync());
            await stop.CancelAsync();
            stalled.Dispose();
            await pushing;
            await app.UntilEmptyAsync();
        }

        // The best of each: noise of the machine only ever adds.
        var ratio = beside.Max() / alone.Max();
        TestContext.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"100 streams: {alone.Max():F0} MiB/s alone, {beside.Max():F0} MiB/s beside a stalled one, ratio {ratio:F3}"));
        Assert.That(ratio, Is.GreaterThan(0.95));

        async Task<double> RoundAsync()
        {
            var began = Stopwatch.GetTimestamp();
            var first = Interlocked.Add(ref number, 100);
            var wrong = await Task.WhenAll(Enumerable.Range(first, 100).Select(n => app.PassAsync(new Passage(n, Course.Download, 2 * MiB, IsTls: true))));
            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            Assert.That(wrong.Where(w => w is not null), Is.Empty);
            return 200 / seconds;
        }
    }

    private static async Task PassAsync(int count)
    {
        await using var app = await RelayedApp.StartAsync();
        var failures = new ConcurrentQueue<string>();
        await RunAsync(0, count / 10);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        var began = Stopwatch.GetTimestamp();
        await RunAsync(count / 10, count);
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await app.UntilEmptyAsync();
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;

        TestContext.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} streams in {seconds:F1} s, {failures.Count} wrong, memory {grown / 1024:+0;-0} KiB"));
        Assert.That(failures.Take(10), Is.Empty);
        Assert.That(app.Under.Tunnel.Status.Counts.RefusedStreams, Is.Empty);
        Assert.That((app.Under.Tunnel.Status.Counts.Streams, app.Under.Tunnel.Status.Reconnects), Is.EqualTo(((long)count, 0L)));
        Assert.That(grown, Is.LessThan(16 * MiB));

        async Task RunAsync(int from, int to)
        {
            await Parallel.ForEachAsync(Enumerable.Range(from, to - from), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (number, _) =>
            {
                if (await app.PassAsync(PassageOf(number)) is { } wrong) failures.Enqueue(wrong);
            });
            await app.UntilEmptyAsync();
        }
    }

    /// <summary>Mostly small, as pages are; one in two hundred up to 2 MiB. The same for each run.</summary>
    private static Passage PassageOf(int number)
    {
        var random = new Random(number);
        var size = random.Next(200) == 0 ? random.Next(2 * MiB) : random.Next(4) switch { 0 => random.Next(64), 1 => random.Next(4_000), 2 => random.Next(40_000), _ => random.Next(100_000) };
        return new Passage(number, (Course)(number % 6), size, IsTls: random.Next(2) == 0);
    }

    private static async Task PushAsync(System.Net.Sockets.Socket socket, CancellationToken cancellationToken)
    {
        var block = new byte[65_536];
        try
        {
            while (true) await socket.SendAsync(block, cancellationToken);
        }
        catch (Exception end) when (end is System.Net.Sockets.SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Stopped, or the relay has closed it.
        }
    }
}
