using Piccolo.Core.Tunnel.Streams;

namespace Piccolo.Tests.Core.Tunnel.Streams;

[Category("Nexus")]
internal sealed class CreditTests
{
    [Test]
    public void Nx077_Nx080_Reverse_BalanceIsSpentToZeroAndNoFurther()
    {
        var credits = new ReverseCredits(3);

        Assert.That(Enumerable.Range(0, 5).Select(_ => credits.TryTake()), Is.EqualTo(new[] { true, true, true, false, false }));
        Assert.That(credits.Balance, Is.Zero);
    }

    [TestCase(0)]
    [TestCase(-5)]
    public void Nx078_Reverse_WithoutInitialCredits_IsUnlimited(long initial)
    {
        var credits = new ReverseCredits(initial);

        Assert.That(Enumerable.Range(0, 1000).All(_ => credits.TryTake()), Is.True);
        Assert.That(credits.WaitForAcknowledgementAsync(7, CancellationToken.None).IsCompletedSuccessfully, Is.True);
    }

    [TestCase(long.MaxValue, ReverseCredits.Cap)]
    [TestCase(long.MinValue, 1)]
    [TestCase(-1, 1)]
    [TestCase(0, 1)]
    [TestCase(8, 9)]
    public void Nx082_Reverse_Grants_AreClamped(long grant, long expected)
    {
        var credits = new ReverseCredits(1);

        credits.Grant(grant);

        Assert.That(credits.Balance, Is.EqualTo(expected));
    }

    [Test]
    public void Nx082_Reverse_RepeatedHugeGrants_NeverPassTheCap()
    {
        var credits = new ReverseCredits(long.MaxValue);
        for (var round = 0; round < 10; round++) credits.Grant(long.MaxValue);
        credits.Return();

        Assert.That(credits.Balance, Is.EqualTo(ReverseCredits.Cap));
    }

    [Test]
    public async Task Nx083_Reverse_ConcurrentTakers_NeverOverspend()
    {
        var credits = new ReverseCredits(1000);

        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Enumerable.Range(0, 500).Count(_ => credits.TryTake()))));

        Assert.That(taken.Sum(), Is.EqualTo(1000));
    }

    [Test]
    public async Task Nx081_Reverse_AGrantWakesTheSender()
    {
        var credits = new ReverseCredits(1);
        credits.TryTake();
        var waiting = credits.WaitForBalanceAsync(CancellationToken.None);
        var before = waiting.IsCompleted;

        credits.Grant(1);
        await waiting.WaitAsync(TimeSpan.FromSeconds(5));

        Assert.That(before, Is.False);
        Assert.That(credits.TryTake(), Is.True);
    }

    [Test]
    public async Task Reverse_Acknowledgement_LeavesLessThanABatchOpen()
    {
        var credits = new ReverseCredits(64);
        for (var sent = 0; sent < 20; sent++) credits.TryTake();
        var waiting = credits.WaitForAcknowledgementAsync(7, CancellationToken.None);

        credits.Grant(8);
        var afterEight = waiting.IsCompleted;
        credits.Grant(8);
        await waiting.WaitAsync(TimeSpan.FromSeconds(5));

        Assert.That(afterEight, Is.False, "12 messages are open");
    }
}
