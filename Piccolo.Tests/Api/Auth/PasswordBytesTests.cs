using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Auth;

/// <summary>
/// A password is what the owner typed, byte for byte, at every place where it crosses the API: its blanks count, and two spellings of one letter are two
/// passwords. The near one is what a handler would hear that trims, folds or normalises.
/// </summary>
[Category("Sealed")]
[Category("Timing")]
internal sealed class PasswordBytesTests
{
    private const string Meanwhile = "  orbit lantern quartz meadow\t";

    private static readonly TestCaseData[] Passwords =
    [
        new TestCaseData("\t harbour kettle violin mosaic \u3000", "harbour kettle violin mosaic").SetArgDisplayNames("blanks around"),
        new TestCaseData("harbour  kettle\tviolin mosaic", "harbour kettle violin mosaic").SetArgDisplayNames("blanks within"),
        new TestCaseData("harb\u00f6ur kettle violin mosaic", "harbo\u0308ur kettle violin mosaic").SetArgDisplayNames("composed"),
        new TestCaseData("harbo\u0308ur kettle violin mosaic", "harb\u00f6ur kettle violin mosaic").SetArgDisplayNames("decomposed").SetCategory("Slow"),
        new TestCaseData("harbour kettle violin mosaic ", "harbour kettle violin mosaic").SetArgDisplayNames("blank after").SetCategory("Slow"),
        new TestCaseData("Harbour Kettle Violin Mosaic", "harbour kettle violin mosaic").SetArgDisplayNames("capitals").SetCategory("Slow"),
    ];

    [TestCaseSource(nameof(Passwords))]
    public async Task Password_EverywhereOverHttp_IsExactlyWhatWasSet(string password, string near)
    {
        await using var box = new TestAppliance();
        using var owner = new Caller(box, "127.0.0.31");
        Assert.That(await owner.StatusAsync("POST", "crypto/setup", new { password }), Is.EqualTo(200));
        await OpensAsync(owner, password, near);

        Assert.That(await owner.StatusAsync("POST", "auth/password", new { old_password = near, new_password = Meanwhile }), Is.EqualTo(401),
            "the change asks for the old one as it was");
        Assert.That(await owner.StatusAsync("POST", "auth/password", new { old_password = password, new_password = Meanwhile }), Is.EqualTo(200));
        await OpensAsync(owner, Meanwhile, Meanwhile.Trim());

        var words = (await owner.JsonAsync("POST", "crypto/recovery-key/generate", new { password = Meanwhile }))["words"]!.AsArray().Select(w => (string)w!);
        Assert.That(await owner.StatusAsync("POST", "crypto/reset-password", new { recovery_key = string.Join(' ', words), new_password = password }),
            Is.EqualTo(200));
        await OpensAsync(owner, password, near);

        Assert.That(await owner.StatusAsync("POST", "auth/tokens", new { name = "x", password = near }), Is.EqualTo(401));
        Assert.That(await owner.StatusAsync("POST", "auth/tokens", new { name = "x", password }), Is.EqualTo(201));
        Assert.That(await owner.StatusAsync("POST", "crypto/recovery-key/generate", new { password = near }), Is.EqualTo(401));
        await ImportsAsync(await ExportAsync(owner), password, near);
    }

    /// <summary>By unlock, locked and not, and by login.</summary>
    private static async Task OpensAsync(Caller owner, string password, string near)
    {
        Assert.That(await owner.StatusAsync("POST", "crypto/unlock", new { password = near }), Is.EqualTo(401));
        Assert.That(await owner.StatusAsync("POST", "crypto/unlock", new { password }), Is.EqualTo(200));
        Assert.That(await owner.StatusAsync("POST", "auth/login", new { username = "admin", password = near }), Is.EqualTo(401));
        Assert.That(await owner.StatusAsync("POST", "auth/login", new { username = "admin", password }), Is.EqualTo(200));
    }

    private static async Task<byte[]> ExportAsync(Caller owner)
    {
        var job = (string)(await owner.JsonAsync("POST", "exports/control"))["id"]!;
        await owner.SendAsync("GET", $"jobs/{job}/events");
        var export = (string)(await owner.JsonAsync("GET", $"jobs/{job}"))["result"]!;
        return (await owner.SendAsync("GET", $"exports/{export}/download")).Content;
    }

    private static async Task ImportsAsync(byte[] file, string password, string near)
    {
        await using var fresh = new TestAppliance();
        using var owner = new Caller(fresh, "127.0.0.32");
        Assert.That(await owner.StatusAsync("POST", "exports/import", Form(near, file)), Is.EqualTo(401));
        Assert.That(await owner.StatusAsync("POST", "exports/import", Form(password, file)), Is.EqualTo(200));
        await OpensAsync(owner, password, near);
    }

    private static MultipartFormDataContent Form(string password, byte[] file) =>
        new() { { new StringContent(password), "password" }, { new ByteArrayContent(file), "file", "export.piccolo" } };
}
