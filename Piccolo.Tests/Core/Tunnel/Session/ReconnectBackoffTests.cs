using Piccolo.Core.Tunnel;

namespace Piccolo.Tests.Core.Tunnel.Session;

[Category("Nexus")]
internal sealed class ReconnectBackoffTests
{
    [Test]
    public void CeilingDoublesToTheMaximum_AndJitterIsFull()
    {
        var options = new TunnelOptions();
        var highest = new ReconnectBackoff(options, () => 1);
        var lowest = new ReconnectBackoff(options, () => 0);

        Assert.That(Enumerable.Range(0, 8).Select(_ => highest.Next(isOutage: false).TotalSeconds), Is.EqualTo(new double[] { 1, 2, 4, 8, 16, 32, 60, 60 }));
        Assert.That(Enumerable.Range(0, 100).Select(_ => highest.Next(isOutage: false).TotalSeconds), Has.All.EqualTo(60));
        Assert.That(lowest.Next(isOutage: false), Is.EqualTo(TimeSpan.Zero));
        highest.Reset();
        Assert.That(highest.Next(isOutage: false).TotalSeconds, Is.EqualTo(1));
    }

    [Test]
    public void OfAnOutage_StaysShortForMinutesAndThenDoubles()
    {
        var highest = new ReconnectBackoff(new TunnelOptions(), () => 1);

        var pauses = Enumerable.Range(0, 188).Select(_ => highest.Next(isOutage: true).TotalSeconds).ToList();

        Assert.That(pauses.Take(180), Is.EqualTo(Enumerable.Repeat(2d, 179).Prepend(1)));
        Assert.That(pauses.Skip(180), Is.EqualTo(new double[] { 4, 8, 16, 32, 60, 60, 60, 60 }));
    }

    /// <summary>A relay that stops in the middle of a handshake looks as if it had said no: it must not cost what the outage before it has earned.</summary>
    [Test]
    public void ARefusalAfterManyOutages_IsTheFirst()
    {
        var highest = new ReconnectBackoff(new TunnelOptions(), () => 1);
        for (var attempt = 0; attempt < 40; attempt++) highest.Next(isOutage: true);

        Assert.That(highest.Next(isOutage: false).TotalSeconds, Is.EqualTo(1));
        Assert.That(highest.Next(isOutage: true).TotalSeconds, Is.EqualTo(2));
    }
}
