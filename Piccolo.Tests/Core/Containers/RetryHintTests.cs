using Piccolo.Core.Containers;

namespace Piccolo.Tests.Core.Containers;

internal sealed class RetryHintTests
{
    [TestCase("toomanyrequests: retry-after: 684.9µs, allowed: 44000/minute", 60)]
    [TestCase("429 Too Many Requests; Retry-After: 300", 300)]
    [TestCase("toomanyrequests: You have reached your limit, try again in 20 minutes", 1200)]
    [TestCase("Please retry again after 2 hours.", 7200)]
    [TestCase("retry after 90s", 90)]
    [TestCase("retry-after=\"1.5h\"", 5400)]
    [TestCase("Retry-After: 999999999 hours", 21600)]
    [TestCase("Retry-After: 0", 60)]
    public void In_WordsOfARegistry_IsATimeWithinBounds(string text, int seconds) =>
        Assert.That(RetryHint.In(text), Is.EqualTo(TimeSpan.FromSeconds(seconds)));

    [TestCase("toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit")]
    [TestCase("retry-after: soon")]
    [TestCase("retry-after: -5")]
    [TestCase("Retry-After: 99999999999999999999999999")]
    [TestCase("")]
    public void In_NoTime_IsNone(string text) => Assert.That(RetryHint.In(text), Is.Null);
}
