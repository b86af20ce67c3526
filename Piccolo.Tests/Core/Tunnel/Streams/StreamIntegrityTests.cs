using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Piccolo.Core.Tunnel;
using Piccolo.Core.Tunnel.Streams;
using Piccolo.Tests.Fakes.Clocks;

namespace Piccolo.Tests.Core.Tunnel.Streams;

/// <summary>Whole streams through a relay on real sockets: what arrives is what was sent, whatever the others do, and nothing of it stays.</summary>
[Category("Nexus")]
[Category("Timing")]
internal sealed class StreamIntegrityTests
{
    private const int AtOnce = 48;
    private const int MiB = 1024 * 1024;

    /// <summary>Bytes for each stream of a leg; half of a page, because a leak begins with one.</summary>
    private const int MostGrowth = 2 * 1024;
    private const int MostLegs = 4;

    /// <summary>The loops that wait for the next stream may remember the last one.</summary>
    private const int MostHeld = 4;

    // Not beside others: what is measured is the managed memory of the whole process.
    [Test, NonParallelizable]
    public Task Streams_OfAllKinds_ArriveWholeAndLeaveNothing() => PassAsync(6_500);

    [Test, Category("Slow"), NonParallelizable]
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
    public async Task Nx094_SlowUser_Of16MiB_NeverHasMoreThan72MessagesWaitingAtTheRelay()
    {
        await using var app = await RelayedApp.StartAsync();
        using var stop = new CancellationTokenSource();
        var peak = WatchPeakAsync(app, stop.Token);

        var wrong = await app.PassAsync(new Passage(1, Course.Download, 16 * MiB, IsTls: true), bytesPerSecond: 6 * MiB);
        await stop.CancelAsync();

        Assert.That(wrong, Is.Null);
        Assert.That(await peak, Is.Positive.And.LessThanOrEqualTo(72));
    }

    [Test]
    public async Task AnIdleSession_LivesOnTheAnswersToTheRelaysPings()
    {
        // No ping of our own: only the answers to the relay's count there as life, and silence for 2 s ends a session.
        var clocks = new Piccolo.DevRelay.RelayClocks { Ping = TimeSpan.FromMilliseconds(200), Silence = TimeSpan.FromSeconds(2) };
        var signs = new RenewedTimers(clocks.Silence);
        await using var app = await RelayedApp.StartAsync(
            options => options.KeepAliveInterval = options.KeepAliveTimeout = TimeSpan.FromMinutes(5),
            relay => (relay.Clocks, relay.Time) = (clocks, signs));

        // One to each ping: 5 s of them.
        using var limit = new CancellationTokenSource(RelayedApp.Patience);
        await signs.UntilAsync(25, limit.Token);

        Assert.That((app.Under.Tunnel.Status.State, app.Under.Tunnel.Status.Reconnects), Is.EqualTo((TunnelState.Online, 0L)));
        Assert.That(await app.PassAsync(new Passage(1, Course.Echo, 1_000, IsTls: true)), Is.Null);
    }

    [Test]
    public async Task StalledApp_AmongAHundred_HoldsItsWindowAndNoMore()
    {
        await using var app = await RelayedApp.StartAsync();
        // An echo whose user never reads: first everything toward the user is full, then the app reads no more.
        using var stalled = await app.StallAsync(new Passage(-1, Course.Echo, 0, IsTls: true));
        using var stop = new CancellationTokenSource();
        var pushing = PushAsync(stalled, stop.Token);
        await UntilStalledAsync(app);

        var wrong = await Task.WhenAll(Enumerable.Range(0, 100).Select(n => app.PassAsync(
            // Small uploads: fifty large ones at once are more than the relay's lane of 256 messages takes, whoever reads it.
            n % 2 == 0 ? new Passage(n, Course.Echo, 8_000, IsTls: true) : new Passage(n, Course.Download, MiB / 2, IsTls: true))));
        var held = app.Under.Tunnel.Status.BufferedBytes;
        await stop.CancelAsync();
        stalled.Dispose();
        await pushing;
        await app.UntilEmptyAsync();

        Assert.That(wrong.Where(w => w is not null), Is.Empty);
        // One message beyond the window: the prelude was not charged and gives a credit back all the same.
        Assert.That(held, Is.Positive.And.LessThanOrEqualTo((ForwardLedger.Window + 1) * 32_768));
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
            await UntilStalledAsync(app);
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
        // Enough of them, large ones too, that the pools of buffers are as full as so many at once
        // make them: what is looked for grows with the number of streams.
        var first = Math.Min(count * 3 / 5, 3_000);
        await RunAsync(0, first);
        var (done, leg, grown) = (first, count - first, new List<long>());

        // What a stream leaves behind is left in every leg, all of the same length; a pool that had
        // not been as full before as chance makes it now is filled in one.
        while (grown.Count == 0 || (grown[^1] >= leg * MostGrowth && grown.Count < MostLegs))
        {
            var before = GC.GetTotalMemory(forceFullCollection: true);
            var began = Stopwatch.GetTimestamp();
            await RunAsync(done, done + leg);
            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            done += leg;
            grown.Add(GC.GetTotalMemory(forceFullCollection: true) - before);
            TestContext.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{leg} streams in {seconds:F1} s, {failures.Count} wrong, memory {grown[^1] / 1024:+0;-0} KiB, {app.CountHeld()} streams held"));
        }

        Assert.That(failures.Take(10), Is.Empty);
        Assert.That(app.Under.Tunnel.Status.Counts.RefusedStreams, Is.Empty);
        Assert.That((app.Under.Tunnel.Status.Counts.Streams, app.Under.Tunnel.Status.Reconnects), Is.EqualTo(((long)done, 0L)));
        Assert.That(app.CountHeld(), Is.LessThanOrEqualTo(MostHeld), "streams that something still holds");
        Assert.That(grown[^1], Is.LessThan(leg * MostGrowth), $"of {string.Join(", ", grown)} B");

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
        var size = random.Next(200) == 0 ? random.Next(2 * MiB)
            : random.Next(4) switch { 0 => random.Next(64), 1 => random.Next(4_000), 2 => random.Next(40_000), _ => random.Next(100_000) };
        return new Passage(number, (Course)(number % 6), size, IsTls: random.Next(2) == 0);
    }

    private static async Task<int> WatchPeakAsync(RelayedApp app, CancellationToken cancellationToken)
    {
        var peak = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            // The relay keeps the highest count of each stream that lives.
            foreach (var stream in app.Relay.Sessions().SelectMany(session => session.Streams)) peak = Math.Max(peak, stream.PeakBuffered);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return peak;
    }

    /// <summary>The window is spent and stays so: while the app still reads, it is spent only for moments.</summary>
    private static async Task UntilStalledAsync(RelayedApp app)
    {
        var before = 0L;
        await RelayedApp.UntilAsync(() =>
        {
            var isSpent = app.Relay.Sessions()[0].Streams.Any(stream => stream.ForwardCredits == 0);
            (var last, before) = (before, app.Under.Tunnel.Status.BufferedBytes);
            return isSpent && last > 0 && last == before;
        });
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
