using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Apps.Plans;

namespace Piccolo.Tests.Core.Apps.Plans;

internal sealed class AppSecretsTests
{
    [TestCase(SecretFormat.Alnum, 32, "^[A-Za-z0-9]{32}$")]
    [TestCase(SecretFormat.Hex, 64, "^[0-9a-f]{64}$")]
    [TestCase(SecretFormat.Base64, 32, "^[A-Za-z0-9+/]{43}=$")]
    [TestCase(SecretFormat.Uuid, 32, "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    public void Generate_Format_HasItsShapeAndIsNewEachTime(SecretFormat format, int length, string pattern)
    {
        var values = Enumerable.Range(0, 100).Select(_ => AppSecrets.Generate(new SecretDefinition(format, length))).ToList();

        Assert.That(values, Has.All.Match(pattern));
        Assert.That(values, Is.Unique);
    }

    [Test]
    public void Text_OfARecord_TellsNoValue()
    {
        var secrets = new AppSecrets("web", System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty.Add("db", "hunter2"));

        Assert.That(secrets.ToString(), Does.Not.Contain("hunter2"));
    }
}
