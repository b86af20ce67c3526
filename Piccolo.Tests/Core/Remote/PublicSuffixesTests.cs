using Microsoft.Extensions.Options;
using Piccolo.Core.Primitives;
using Piccolo.Core.Remote;
using Piccolo.Core.Remote.Dns;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Remote;

internal sealed class PublicSuffixesTests
{
    [TestCase("com", "com")]
    [TestCase("example.com", "com")]
    [TestCase("a.b.example.co.uk", "co.uk")]
    [TestCase("co.uk", "co.uk")]
    [TestCase("www.ck", "ck", Description = "an exception to *.ck")]
    [TestCase("shop.www.ck", "ck")]
    [TestCase("any.ck", "any.ck", Description = "a wildcard rule")]
    [TestCase("b.any.ck", "any.ck")]
    [TestCase("home.test", "test", Description = "no rule: the last label")]
    [TestCase("me.duckdns.org", "duckdns.org", Description = "a private suffix")]
    public void SuffixOf_Name_FollowsTheList(string name, string suffix)
    {
        // A file that is not there: the built-in list is judged, whatever the machine has.
        var suffixes = new PublicSuffixes(Options.Create(new RemoteOptions { PublicSuffixFile = "/nowhere" }));

        Assert.That(suffixes.SuffixOf(DomainName.Parse(name)), Is.EqualTo(suffix));
        Assert.That(suffixes.IsPublicSuffix(DomainName.Parse(name)), Is.EqualTo(name == suffix));
    }

    [TestCase("a.b.example.co.uk", "example.co.uk")]
    [TestCase("home.test", "home.test")]
    [TestCase("photos.home.test", "home.test")]
    [TestCase("x.me.duckdns.org", "me.duckdns.org")]
    [TestCase("com", "com")]
    public void RegisteredOf_Name_IsOneLabelBelowTheSuffix(string name, string registered) =>
        Assert.That(new PublicSuffixes(Options.Create(new RemoteOptions { PublicSuffixFile = "/nowhere" })).RegisteredOf(DomainName.Parse(name)).Value,
            Is.EqualTo(registered));

    [Test]
    public void SuffixOf_WithAFileOfTheSystem_FollowsThat()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("list.dat"), "// comment\nhome.test // more\n");

        Assert.That(new PublicSuffixes(Options.Create(new RemoteOptions { PublicSuffixFile = folder.File("list.dat") }))
            .IsPublicSuffix(DomainName.Parse("home.test")), Is.True);
    }
}
