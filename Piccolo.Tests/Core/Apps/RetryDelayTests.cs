using Piccolo.Core.Apps.Work;

namespace Piccolo.Tests.Core.Apps;

internal sealed class RetryDelayTests
{
    [TestCase(1, 1), TestCase(2, 2), TestCase(5, 16), TestCase(9, 256), TestCase(10, 300), TestCase(1000, 300), TestCase(int.MaxValue, 300)]
    public void After_Failures_DoublesUpToTheLimit(int failures, double seconds) =>
        Assert.That(RetryDelay.After(failures, () => 0.5), Is.EqualTo(TimeSpan.FromSeconds(seconds)));

    [Test]
    public void After_AnyRandom_StaysWithinAFifth()
    {
        Assert.That(RetryDelay.After(3, () => 0), Is.EqualTo(TimeSpan.FromSeconds(3.2)));
        Assert.That(RetryDelay.After(3, () => 1), Is.EqualTo(TimeSpan.FromSeconds(4.8)).Within(TimeSpan.FromMilliseconds(1)));
    }
}
