using Piccolo.Core.Apps;

namespace Piccolo.Tests.Core.Apps;

internal sealed class FetchGateTests
{
    private static readonly DateTimeOffset First = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Second = First.AddTicks(1);

    private FetchGate _gate = null!;

    [SetUp]
    public void SetUp() => _gate = new FetchGate();

    [Test]
    public void TakeBack_BeforeTheWorkHasPassed_HoldsTheWork()
    {
        Assert.That(_gate.IsOpen("web", First), Is.True);

        Assert.That(_gate.TryTakeBack("web", First), Is.True);

        Assert.That(_gate.TryPass("web", First), Is.False);
        Assert.That(_gate.TryTakeBack("web", First), Is.False, "once is enough");
        Assert.That((_gate.IsOpen("web", First), _gate.TryPass("web", Second), _gate.TryPass("db", First)), Is.EqualTo((false, true, true)));
    }

    [Test]
    public void TakeBack_AfterTheWorkHasPassed_IsTooLate()
    {
        Assert.That(_gate.TryPass("web", Second), Is.True);

        Assert.That((_gate.IsOpen("web", Second), _gate.TryTakeBack("web", Second), _gate.TryTakeBack("web", First)), Is.EqualTo((false, false, false)));
        Assert.That(_gate.TryPass("web", Second), Is.True, "it passes as often as it comes by");
    }

    [Test]
    public void Reopen_AfterATakeBackThatFailed_IsAsBefore()
    {
        _gate.TryTakeBack("web", Second);

        _gate.Reopen("web", Second);

        Assert.That(_gate.IsOpen("web", Second), Is.True);
        Assert.That(_gate.TryPass("web", Second), Is.True);
        _gate.Reopen("web", Second);
        Assert.That(_gate.IsOpen("web", Second), Is.False, "what has passed stays passed");
    }

    [Test]
    public void PassAndTakeBack_AtTheSameTime_NeverBothSucceed()
    {
        var both = Enumerable.Range(0, 2000).AsParallel().WithDegreeOfParallelism(4).Select(i =>
        {
            var gate = new FetchGate();
            bool passed = false, takenBack = false;
            Parallel.Invoke(() => passed = gate.TryPass("web", First), () => takenBack = gate.TryTakeBack("web", First));
            return (passed, takenBack);
        }).ToList();

        Assert.That(both.Where(b => b.passed == b.takenBack), Is.Empty);
    }
}
