using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Piccolo.Core.Tunnel.Session;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Tunnel.Session;

[Category("Nexus")]
internal sealed class SessionWeightsTests
{
    private readonly FakeTimeProvider _time = new();
    private TempFolder _folder = null!;

    private string File => Path.Combine(_folder.Path, "tunnel-weight");

    [SetUp]
    public void Start() => _folder = new TempFolder();

    [TearDown]
    public void Stop() => _folder.Dispose();

    [Test]
    public void EachOverlap_OutweighsTheOneBefore_AndStartsOverBelowTheReserve()
    {
        var weights = Of();
        List<long> seen = [];
        for (var (n, serving) = (0, 0L); n < 13; n++) seen.Add(serving = weights.Next(serving));

        Assert.That(seen, Is.EqualTo(Enumerable.Range(0, 11).Select(n => 1L << (2 * n)).Concat([1L, 4L])));
    }

    [TestCase(1L, 32L)]
    [TestCase(1L << 20, 1L << 25)]
    [TestCase(1L << 25, 1L << 25)]
    public void AfterALoss_TheNextOutweighsTheLost_UntilTheRelayMustHaveLetItGo(long lost, long next)
    {
        var weights = Of();
        weights.SessionLost(lost);

        Assert.That(weights.Next(0), Is.EqualTo(next));
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.That(weights.Next(0), Is.EqualTo(next));
        _time.Advance(TimeSpan.FromSeconds(15));
        Assert.That(weights.Next(0), Is.EqualTo(1));
    }

    [Test]
    public void AfterAPowerCut_TheNextProcessGoesOnFromTheWeightOfTheLast()
    {
        Of().SessionOpened(1 << 15);

        var next = Of();

        Assert.That(next.Next(0), Is.EqualTo(1 << 20));
        _time.Advance(TimeSpan.FromSeconds(75));
        Assert.That(next.Next(0), Is.EqualTo(1));
    }

    [Test]
    public void AfterAGoodbye_NothingIsKept_UnlessALostSessionMayBeLeft()
    {
        var weights = Of();
        weights.SessionOpened(32);
        weights.AllClosed();
        Assert.That(System.IO.File.Exists(File), Is.False);

        weights.SessionLost(32);
        weights.SessionOpened(weights.Next(0));
        weights.AllClosed();

        Assert.That(Of().Next(0), Is.EqualTo(1 << 15));
    }

    [TestCase("")]
    [TestCase("-5")]
    [TestCase("heavy")]
    [TestCase("99999999999999999999999")]
    public void ADamagedFile_IsNone(string text)
    {
        System.IO.File.WriteAllText(File, text);

        Assert.That(Of().Next(0), Is.EqualTo(1));
    }

    [Test]
    public void ADiskThatTakesNothing_CostsTheTunnelNothing()
    {
        var weights = new SessionWeights(Path.Combine(_folder.Path, "no", "folder"), _time, NullLogger.Instance);

        Assert.That(() => weights.SessionOpened(1), Throws.Nothing);
        Assert.That(weights.Next(1), Is.EqualTo(4));
    }

    private SessionWeights Of() => new(File, _time, NullLogger.Instance);
}
