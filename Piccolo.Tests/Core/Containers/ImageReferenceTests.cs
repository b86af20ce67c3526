using Piccolo.Core.Containers;

namespace Piccolo.Tests.Core.Containers;

internal sealed class ImageReferenceTests
{
    private const string Sha = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [TestCase("nginx", "nginx:latest")]
    [TestCase("library/nginx:1.27-Alpine", "library/nginx:1.27-Alpine")]
    [TestCase("localhost/piccolo-sample:latest", "localhost/piccolo-sample:latest")]
    [TestCase("localhost:5000/a/b_c/d__e/f--g", "localhost:5000/a/b_c/d__e/f--g:latest")]
    [TestCase("Docker.IO/library/redis", "Docker.IO/library/redis:latest")]
    [TestCase("[2001:db8::1]:5000/app:V1", "[2001:db8::1]:5000/app:V1")]
    [TestCase("nginx@" + Sha, "nginx@" + Sha)]
    [TestCase("quay.io/x/y:Tag_1@" + Sha, "quay.io/x/y:Tag_1@" + Sha)]
    public void TryParse_Valid_GivesFullForm(string text, string expected)
    {
        Assert.That(ImageReference.TryParse(text, out var reference, out var error), Is.True, error);
        Assert.That(reference!.ToString(), Is.EqualTo(expected));
        Assert.That(ImageReference.TryParse(expected, out var again, out _) ? again : null, Is.EqualTo(reference));
    }

    [TestCase(""), TestCase(" nginx"), TestCase("nginx "), TestCase("nginx\n"), TestCase("Nginx"), TestCase("a//b"), TestCase("/a"), TestCase("a/"),
        TestCase("a:")]
    [TestCase("a:.b"), TestCase("a:b:c"), TestCase("-a/b"), TestCase("a..b"), TestCase("a___b"), TestCase("a@sha256:12"), TestCase("a@md5:0123"),
        TestCase("a@"), TestCase("a@" + Sha + "0")]
    [TestCase("http://a/b"), TestCase("a/b?c"), TestCase("reg.io:port/a"), TestCase("../a"), TestCase("--privileged"), TestCase("a;b"),
        TestCase("exam ple.org/a")]
    public void TryParse_Invalid_SaysWhichPart(string text)
    {
        Assert.That(ImageReference.TryParse(text, out _, out var error), Is.False);
        Assert.That(error, Does.EndWith(".").And.Length.GreaterThan(20));
    }

    [Test]
    public void TryParse_Lengths_AreBounded()
    {
        Assert.That(ImageReference.TryParse(new string('a', 255), out _, out _), Is.True);
        Assert.That(ImageReference.TryParse(new string('a', 256), out _, out _), Is.False);
        Assert.That(ImageReference.TryParse("a:" + new string('T', 128), out _, out _), Is.True);
        Assert.That(ImageReference.TryParse("a:" + new string('T', 129), out _, out _), Is.False);
        Assert.That(ImageReference.TryParse(new string('a', 100_000), out _, out _), Is.False);
    }
}
