using Microsoft.Extensions.Time.Testing;
using Piccolo.Core.Tunnel.Streams;

namespace Piccolo.Tests.Core.Tunnel.Streams;

[Category("Nexus")]
internal sealed class GrantBudgetTests
{
    /// <summary>A lone upload is held by the relay's window. Beyond 80 uploads the two that each gets are more than the budget.</summary>
    [TestCase(1, 64)]
    [TestCase(2, 128)]
    [TestCase(4, 160)]
    [TestCase(80, 160)]
    [TestCase(100, 200)]
    public void Room_OnTheFastestWay_Is160InAll_AndTwoForEachBeyond(int uploads, int expected)
    {
        var time = new FakeTimeProvider();
        var budget = new GrantBudget(() => TimeSpan.FromSeconds(1), time);
        for (var n = 0; n < uploads; n++) budget.Enter(0);
        for (var message = 0; message < 10_000; message++) budget.Received(wasGranted: false);
        time.Advance(TimeSpan.FromMilliseconds(100));
        budget.Received(wasGranted: false);

        var held = new int[uploads];
        for (var round = 0; round < 3; round++)
        {
            for (var n = 0; n < uploads; n++)
            {
                var room = Math.Max(budget.Room(held[n], out _), 0);
                budget.Granted(room);
                held[n] += room;
            }
        }

        Assert.That(held.Sum(), Is.EqualTo(expected));
        Assert.That(held, Has.All.GreaterThanOrEqualTo(2));
    }
}
