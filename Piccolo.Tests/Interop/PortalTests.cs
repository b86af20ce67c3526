using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Interop;

/// <summary>The portal in a real browser, from a box that nobody owns to one that is locked again: what an owner sees and is told.</summary>
[Category("Interop"), Category("NeedsProcess")]
internal sealed class PortalTests
{
    [Test]
    public async Task Portal_FromSetUpToLock_ShowsWhatTheApiSays()
    {
        await using var appliance = new TestAppliance();
        await using var page = await ChromiumTab.OpenAsync(new Uri($"http://127.0.0.1:{appliance.HttpPort}/"));

        await page.UntilAsync(Shown("entry"));
        Assert.That((await page.TextAsync("status"), await page.TextAsync("entry-button")), Is.EqualTo(("not set up", "Set up")));
        await EnterAsync(page, "password123");
        await page.UntilAsync(Says("error"));
        Assert.That(await page.TextAsync("error"), Does.StartWith("The new password is too easy to guess. ").And.Contain("words"),
            "detail and next step, not the error's title");

        await EnterAsync(page, TestAppliance.Password);
        await page.UntilAsync(Shown("home"));
        Assert.That((await page.TextAsync("status"), await page.TextAsync("error")), Is.EqualTo(("unlocked", "")));
        Assert.That(await page.TextAsync("no-services"), Does.Contain("No app is installed yet"));
        await InstallAsync(appliance);
        // The page looks again by itself.
        await page.UntilAsync("document.getElementById('services').rows.length === 1");
        Assert.That(await page.TextAsync("services"), Does.Contain("front").And.Contain("web").And.Contain($"http://127.0.0.1:").And.Contain("not published"));

        await page.ClickAsync("lock");
        await page.UntilAsync(Shown("entry"));
        Assert.That((await page.TextAsync("status"), await page.TextAsync("entry-button")), Is.EqualTo(("locked", "Unlock")));
        await EnterAsync(page, "not the password");
        await page.UntilAsync(Says("error"));
        Assert.That(await page.TextAsync("error"), Is.EqualTo("The password is wrong."));

        await EnterAsync(page, TestAppliance.Password);
        await page.UntilAsync(Shown("home"));
        Assert.That(await page.TextAsync("status"), Is.EqualTo("unlocked"));
    }

    private static async Task EnterAsync(ChromiumTab page, string password)
    {
        await page.TypeAsync("password", password);
        await page.ClickAsync("entry-button");
    }

    private static async Task InstallAsync(TestAppliance appliance)
    {
        await appliance.Api.UnlockAsync(TestAppliance.Password);
        await appliance.Api.TakeTokenAsync("test");
        await appliance.Api.InstallAsync("name: web\nimage: localhost/web:1\nlisteners:\n  - { name: front, guest_port: 8080, protocol: http }\n");
    }

    private static string Shown(string id) => $"document.getElementById('{id}')?.hidden === false";

    private static string Says(string id) => $"document.getElementById('{id}').innerText !== ''";
}
