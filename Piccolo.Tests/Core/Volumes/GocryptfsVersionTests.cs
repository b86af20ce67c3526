using Piccolo.Core.Volumes;

namespace Piccolo.Tests.Core.Volumes;

internal sealed class GocryptfsVersionTests
{
    [TestCase("gocryptfs 2.3; go-fuse 2.1.0+git20220822.58a7e14; 2023-04-09 go1.19.8 linux/amd64")]
    [TestCase("gocryptfs v2.4.0-5-g8ea1a5b; go-fuse v2.5.0; 2024-02-03 go1.22.0 linux/arm64")]
    [TestCase("gocryptfs 2.5.1 without_openssl; go-fuse 2.7.2; 2025-01-01 go1.23 linux/amd64")]
    [TestCase("gocryptfs 3.0; go-fuse 4")]
    [TestCase("gocryptfs 2.10.0")]
    public void Refusal_GoodVersion_IsNull(string text) => Assert.That(GocryptfsVersion.Refusal(text), Is.Null);

    [TestCase("gocryptfs 2.2.1; go-fuse 2", "too old")]
    [TestCase("gocryptfs 1.9", "too old")]
    [TestCase("gocryptfs 2.5.0; go-fuse 2.5", "crash databases")]
    [TestCase("gocryptfs v2.5; go-fuse 2.5", "crash databases")]
    [TestCase("gocryptfs v2.5.0-1-gabc; go-fuse", "crash databases")]
    [TestCase("", "which version")]
    [TestCase("gocryptfs master.a1b2c3", "which version")]
    [TestCase("gocryptfs 99999999999.1", "which version")]
    [TestCase("encfs 2.3", "which version")]
    [TestCase("gocryptfs 2.5.0.1", "which version")]
    public void Refusal_OtherVersion_SaysWhy(string text, string why) => Assert.That(GocryptfsVersion.Refusal(text), Does.Contain(why));
}
