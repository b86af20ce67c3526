using Piccolo.Core.Auth;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Auth;

[Category("Sealed")]
internal sealed class AuthTests : OwnedBoxFixture
{
    [Test]
    public void Session_UsedFromAnotherOriginClass_IsWorthNothing()
    {
        var sessions = new SessionTable(Box.Time);
        var (id, _) = sessions.Begin("local");

        Assert.That(sessions.Use(id, "Tunnel"), Is.Null);
        Assert.That(sessions.Use(id, "local"), Is.Not.Null);
    }

    [Test]
    public void Session_KeptInUse_EndsADayAfterItBegan()
    {
        var sessions = new SessionTable(Box.Time);
        var (id, _) = sessions.Begin("local");
        var alive = TimeSpan.Zero;
        while (sessions.Use(id, "local") is not null && alive < TimeSpan.FromDays(3))
        {
            Box.Time.Advance(TimeSpan.FromMinutes(30));
            alive += TimeSpan.FromMinutes(30);
        }

        Assert.That(alive, Is.EqualTo(SessionTable.Absolute));
    }

    [Test]
    public void Session_Idle_EndsAfterAnHour()
    {
        var sessions = new SessionTable(Box.Time);
        var (id, _) = sessions.Begin("local");
        Box.Time.Advance(SessionTable.Sliding);

        Assert.That(sessions.Use(id, "local"), Is.Null);
    }

    [Test]
    public void Token_Created_IsFoundUntilRevoked()
    {
        var tokens = new ApiTokenStore(Box.Store, Box.Vault, new SessionTable(Box.Time), Box.Time);
        var (token, record) = tokens.Create("script", TokenScope.Write, null)!.Value;

        Assert.That(tokens.Find(token), Is.EqualTo(record));
        Assert.That(tokens.Find(token + "x"), Is.Null);
        Assert.That(tokens.Revoke(record.Id), Is.True);
        Assert.That(tokens.Find(token), Is.Null);
    }

    [Test]
    public void Token_Expired_IsNotFound()
    {
        var tokens = new ApiTokenStore(Box.Store, Box.Vault, new SessionTable(Box.Time), Box.Time);
        var (token, _) = tokens.Create("script", TokenScope.Read, Box.Time.GetUtcNow().AddDays(1))!.Value;
        Box.Time.Advance(TimeSpan.FromDays(1));

        Assert.That(tokens.Find(token), Is.Null);
    }
}
