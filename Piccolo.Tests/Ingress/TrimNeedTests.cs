using Piccolo.Api.Ingress.Composition;

namespace Piccolo.Tests.Ingress;

internal sealed class TrimNeedTests
{
    private const long MiB = 1 << 20;
    private TrimNeed _need = null!;

    [SetUp]
    public void SetUp() => _need = new TrimNeed(TimeSpan.FromSeconds(15));

    [Test]
    public void IsDue_StartThenQuiet_OnceTheStartIsOver()
    {
        Assert.That(_need.IsDue(100 * MiB, 170 * MiB), Is.False, "the start has just allocated");
        Assert.That(_need.IsDue(110 * MiB, 170 * MiB), Is.True);
    }

    [Test]
    public void IsDue_LoadThatGoesOn_NotBeforeItIsOver()
    {
        AtRest(130 * MiB);

        Assert.That(_need.IsDue(1_000 * MiB, 300 * MiB), Is.False);
        Assert.That(_need.IsDue(1_010 * MiB, 300 * MiB), Is.True);
    }

    [Test]
    public void IsDue_PollingPortal_OnlyWhenTheProcessHasGrown()
    {
        AtRest(130 * MiB);

        Assert.That(_need.IsDue(115 * MiB, 137 * MiB), Is.False);
        Assert.That(_need.IsDue(130 * MiB, 138 * MiB), Is.True);
    }

    [Test]
    public void IsDue_ProcessThatShrankByItself_CountsFromThere()
    {
        AtRest(130 * MiB);

        Assert.That(_need.IsDue(101 * MiB, 100 * MiB), Is.False);
        Assert.That(_need.IsDue(102 * MiB, 108 * MiB), Is.True);
    }

    /// <summary>Has allocated 100 MiB and been trimmed.</summary>
    private void AtRest(long workingSet)
    {
        _need.IsDue(100 * MiB, workingSet);
        _need.Trimmed(workingSet);
    }
}
