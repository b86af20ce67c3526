namespace Piccolo.Core.Certificates.Acme.Messages;

/// <summary>What was asked for, or why not.</summary>
internal readonly struct AcmeResult<T>
{
    private readonly T? _value;

    private AcmeResult(T? value, AcmeFailure? failure) => (_value, Failure) = (value, failure);

    public AcmeFailure? Failure { get; }

    public T Value => Failure is null ? _value! : throw new InvalidOperationException($"There is no value: {Failure.Code}.");

    public static implicit operator AcmeResult<T>(T value) => new(value, null);

    public static implicit operator AcmeResult<T>(AcmeFailure failure) => new(default, failure);
}
