using System.Runtime.CompilerServices;
using Piccolo.Core.Remote;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Remote;

/// <summary>One record, replaced as a whole; two changes at a time are both kept.</summary>
internal sealed class RemoteSettingsTests : OwnedBoxFixture
{
    private const string Relay = "wss://relay.test";

    [Test]
    public void Settings_HaveNoSetterThatWorksAfterTheyWereMade() => Assert.That(
        typeof(RemoteSettings).GetProperties()
            .Where(p => p.SetMethod is { } set && !set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit))).Select(p => p.Name),
        Is.Empty);

    [Test]
    public async Task Changes_AtTheSameTime_AreBothKept()
    {
        var settings = new RemoteSettingsStore(Box.Store);
        for (var round = 0; round < 100; round++)
        {
            settings.Save(new RemoteSettings(Relay, "old", "home.test", "portal.home.test", Enabled: true, Box.Time.GetUtcNow()));
            using var start = new Barrier(2);
            var rotated = Task.Run(() =>
            {
                start.SignalAndWait();
                return settings.Rotate(Relay, "new");
            });
            var disabled = Task.Run(() =>
            {
                start.SignalAndWait();
                return settings.Disable();
            });

            Assert.That(await rotated, Is.True);
            Assert.That(await disabled, Has.Property(nameof(RemoteSettings.Enabled)).False);
            Assert.That((settings.Current!.DeviceSecret, settings.Current.Enabled), Is.EqualTo(("new", false)), $"round {round}");
        }
    }

    [Test]
    public void Rotate_ForAnotherRelayThanTheOneInForce_ChangesNothing()
    {
        var settings = new RemoteSettingsStore(Box.Store);
        settings.Save(new RemoteSettings(Relay, "old", "home.test", "portal.home.test", Enabled: true, Box.Time.GetUtcNow()));
        var before = (settings.Current, Box.Store.Revision);

        Assert.That(settings.Rotate("wss://other.test", "new"), Is.False);

        Assert.That((settings.Current, Box.Store.Revision), Is.EqualTo(before));
    }
}
