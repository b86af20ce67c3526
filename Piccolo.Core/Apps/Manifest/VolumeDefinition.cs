namespace Piccolo.Core.Apps.Manifest;

/// <summary>What lies in a volume, which decides what updates and exports do with it.</summary>
public enum VolumeKind
{
    /// <summary>What cannot be had again.</summary>
    Data,

    /// <summary>What the app makes again by itself.</summary>
    Cache,

    /// <summary>Large files that change little.</summary>
    Media,

    /// <summary>Filled from the image, again at each new image.</summary>
    FromImage,
}

/// <param name="SizeLimitBytes">Null = none.</param>
public sealed record VolumeDefinition(VolumeKind Kind, long? SizeLimitBytes);

/// <summary>The alphabet of a generated secret.</summary>
public enum SecretFormat
{
    /// <summary>Letters and digits: safe in URLs.</summary>
    Alnum,
    Hex,
    Base64,
    Uuid,
}

/// <param name="Length">In characters; for <see cref="SecretFormat.Base64"/> in bytes before encoding; without meaning for a UUID.</param>
public sealed record SecretDefinition(SecretFormat Format, int Length);
