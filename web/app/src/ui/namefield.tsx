// The field for one's name, on the first page and on the check.
interface NameFieldProps {
  name: string;
  placeholder?: string;
  fault?: string;
  onName: (name: string) => void;
}

export function NameField({ name, placeholder = 'As others will see it', fault = '', onName }: NameFieldProps) {
  return (
    <div class="field">
      <label for="name">Your name</label>
      <input
        id="name"
        class="input"
        dir="auto"
        autocomplete="name"
        maxLength={64}
        value={name}
        placeholder={placeholder}
        aria-invalid={fault !== ''}
        aria-describedby="name-fault"
        data-testid="name"
        onInput={(e) => onName(e.currentTarget.value)}
      />
      <p id="name-fault" class="fault" role="alert" hidden={!fault}>
        {fault}
      </p>
    </div>
  );
}
